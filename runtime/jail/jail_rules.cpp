#include "jail/jail_rules.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.hpp"
#include "config/profile_files.hpp"
#include "jail/share_dir.hpp"

namespace evojail {
namespace {

/// What a program maps without using it: its libraries, stacks, heaps of threads.
constexpr std::uint64_t least_address_space = 128ULL << 20;

/// The setting, unless the profile is stricter.
ResourceLimit at_most(const CompiledProfile& profile, int resource, std::uint64_t setting) {
  for (const auto& limit : profile.limits) {
    if (limit.resource == resource) setting = std::min(setting, limit.value);
  }
  return {resource, setting};
}

std::uint64_t processes_of(const JailSettings& settings, const CompiledProfile& profile) {
  return at_most(profile, RLIMIT_NPROC, settings.max_processes).value;
}

Result<std::string> find_profile(const HostSettings& host, const std::string& name) {
  TRY(const auto files, find_profiles(host));
  const auto file = files.find(name);
  if (file != files.end()) return file->second;
  return std::unexpected(Error("there is no profile '" + name + "'")
                             .hint("'evojail profile list' shows those that exist"));
}

}  // namespace

Result<std::map<std::string, std::string>> find_profiles(const HostSettings& host) {
  TRY(const auto share, find_share_dir());
  std::map<std::string, std::string> files;
  for (const std::string& directory : {host.confdir + "/profiles", share + "/profiles"}) {
    TRY(const bool there, has_path(directory));
    if (!there) continue;
    TRY(const auto names, list_profiles(directory));
    for (const auto& name : names) files.emplace(name, directory + "/" + name + ".json");
  }
  return files;
}

Result<Profile> load_profile(const HostSettings& host, const std::string& name) {
  TRY(const auto file, find_profile(host, name));
  return load_profile_file(file);
}

Result<CompiledProfile> load_compiled_profile(const HostSettings& host, const std::string& name) {
  TRY(const auto file, find_profile(host, name));
  return load_compiled_profile(file, host.datadir + "/compiled/" + name);
}

bool is_sftp_only(const CompiledProfile& profile) {
  return std::ranges::none_of(profile.programs, [](const auto& program) {
    return program == "sh" || program == "dash" || program == "bash";
  });
}

LaunchPlan plan_launch(const std::string& name, const JailPaths& paths,
                       const JailSettings& settings, const CompiledProfile& profile,
                       const std::string& base_image, std::uint32_t base_uid) {
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
  plan.capabilities = profile.capabilities;
  plan.mknod_filter = profile.mknod_filter;
  return plan;
}

SessionRules plan_sessions(const JailSettings& settings, const CompiledProfile& profile) {
  SessionRules rules;
  rules.filter = profile.session_filter;
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
    rules.limits.push_back(limit);
  }
  return rules;
}

FirewallJail plan_firewall(const std::string& name, const JailSettings& settings,
                           std::uint32_t base_uid) {
  return {name,           settings.port, settings.allow_all,
          settings.allow, base_uid,      settings.new_connections_per_minute};
}

LaunchedWith launched_with(const JailSettings& settings, const CompiledProfile& profile) {
  std::string capabilities;
  for (const int number : profile.capabilities) capabilities += std::to_string(number) + " ";
  std::string mounts;
  for (const MountFlags& flags : {profile.mounts.base, profile.mounts.data, profile.mounts.var,
                                  profile.mounts.tmp, profile.mounts.run}) {
    for (const bool flag : {flags.readonly, flags.nosuid, flags.nodev, flags.noexec,
                            flags.nosymfollow, flags.noatime}) {
      mounts += flag ? '1' : '0';
    }
  }
  std::string programs;
  for (const auto& program : profile.programs) programs += program + " ";
  return {{"TMP_SIZE", std::to_string(settings.tmp_size)},
          {"RUN_SIZE", std::to_string(settings.run_size)},
          {"MAX_PROCESSES", std::to_string(processes_of(settings, profile))},
          {"capabilities of the profile", capabilities},
          {"mount flags of the profile", mounts},
          {"programs of the profile", programs}};
}

std::vector<std::string> changes(const LaunchedWith& launched, const JailSettings& settings,
                                 const CompiledProfile& profile) {
  std::vector<std::string> names;
  for (const auto& [name, value] : launched_with(settings, profile)) {
    const auto then = launched.find(name);
    if (then != launched.end() && then->second != value) names.push_back(name);
  }
  return names;
}

Result<void> apply_firewall(const HostSettings& host, const FirewallJail& jail) {
  return Firewall(host.firewall_table).apply(jail, [&host](const std::string& other) {
    // What cannot be looked at is not gone.
    return ::access(JailPaths(host, other).conf.c_str(), F_OK) != 0 && errno == ENOENT;
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
