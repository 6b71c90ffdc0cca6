#include "jail/jail_rules.hpp"

#include <sys/resource.h>

#include <algorithm>

#include "base/file.hpp"
#include "jail/share_dir.hpp"

namespace evojail {
namespace {

/// What a program maps without using it: its libraries, stacks, heaps of threads.
constexpr std::uint64_t least_address_space = 128ULL << 20;

/// The setting, unless the profile is stricter.
ResourceLimit at_most(const Profile& profile, int resource, std::uint64_t setting) {
  for (const auto& limit : profile.limits) {
    if (limit.resource == resource) setting = std::min(setting, limit.value);
  }
  return {resource, setting};
}

std::uint64_t processes_of(const JailSettings& settings, const Profile& profile) {
  return at_most(profile, RLIMIT_NPROC, settings.max_processes).value;
}

}  // namespace

Result<Profile> load_profile(const std::string& name) {
  TRY(const auto share, find_share_dir());
  const std::string file = share + "/profiles/" + name + ".json";
  if (!path_exists(file)) {
    return std::unexpected(Error("there is no profile '" + name + "'")
                               .hint("'evojail profile list' shows those that exist"));
  }
  TRY(const auto text, read_file(file));
  return parse_profile(text, file);
}

bool is_sftp_only(const Profile& profile) {
  return std::ranges::none_of(profile.programs, [](const auto& program) {
    return program.name == "sh" || program.name == "dash" || program.name == "bash";
  });
}

Result<LaunchPlan> plan_launch(const std::string& name, const JailPaths& paths,
                               const JailSettings& settings, const Profile& profile,
                               const std::string& base_image, std::uint32_t base_uid) {
  TRY(auto capabilities, profile_capabilities(profile));
  LaunchPlan plan;
  plan.name = name;
  plan.base_image = base_image;
  plan.ssh_dir = paths.run_dir + "/ssh";
  plan.root_home = paths.run_dir + "/root";
  plan.data = paths.data;
  plan.var = paths.var;
  plan.base_uid = base_uid;
  // Beside the sessions' processes there is init.
  plan.processes = processes_of(settings, profile) + 1;
  plan.tmp_size = settings.tmp_size;
  plan.run_size = settings.run_size;
  plan.mounts = profile.mounts;
  plan.capabilities = std::move(capabilities);
  plan.forward_mknod = true;
  return plan;
}

Result<SessionRules> plan_sessions(const JailSettings& settings, const Profile& profile) {
  SessionRules rules;
  TRY(rules.filter, compile_filter(profile, {.notify_mknod = true}));
  rules.limits = {at_most(profile, RLIMIT_NPROC, settings.max_processes),
                  at_most(profile, RLIMIT_NOFILE, settings.max_open_files)};
  // A cgroup counts what a jail uses in all; where there is none, this is what one process can
  // have.
  if (settings.memory_max > 0) {
    rules.limits.push_back(
        at_most(profile, RLIMIT_AS, std::max(settings.memory_max, least_address_space)));
  }
  for (const auto& limit : profile.limits) {
    if (std::ranges::find(rules.limits, limit.resource, &ResourceLimit::resource) !=
        rules.limits.end()) {
      continue;
    }
    rules.limits.push_back({limit.resource, limit.value});
  }
  return rules;
}

FirewallJail plan_firewall(const std::string& name, const JailSettings& settings,
                           std::uint32_t base_uid) {
  return {name,           settings.port, settings.allow_all,
          settings.allow, base_uid,      settings.new_connections_per_minute};
}

Result<void> apply_firewall(const HostSettings& host, const FirewallJail& jail) {
  return Firewall(host.firewall_table).apply(jail, [&host](const std::string& other) {
    return !path_exists(JailPaths(host, other).conf);
  });
}

CgroupLimits plan_cgroup(const JailSettings& settings) {
  // Beside the sessions' processes there is init.
  return {settings.memory_max, settings.max_processes + 1ULL};
}

CgroupWeights plan_weights(const JailSettings& settings) {
  return {settings.cpu_weight, settings.io_weight};
}

}  // namespace evojail
