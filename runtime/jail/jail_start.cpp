#include "jail/jail_start.hpp"

#include <fmt/format.h>

#include <ctime>
#include <optional>
#include <tuple>

#include "config/layout.hpp"
#include "jail/base_image.hpp"
#include "jail/clean_boots.hpp"
#include "jail/image_view.hpp"
#include "jail/init_protocol.hpp"
#include "jail/jail_limits.hpp"
#include "jail/jail_rules.hpp"
#include "jail/launch.hpp"
#include "jail/notify.hpp"
#include "jail/run_dir.hpp"
#include "kernel/cgroup.hpp"
#include "kernel/channel.hpp"
#include "kernel/unix_socket.hpp"
#include "store/host_check.hpp"
#include "store/jails.hpp"
#include "store/uid_lease.hpp"

namespace evojail {
namespace {

/// Takes RUNDIR/NAME away again unless the start comes through.
class RunDirGuard {
 public:
  explicit RunDirGuard(const JailPaths& paths) : paths_(&paths) {}
  RunDirGuard(const RunDirGuard&) = delete;
  RunDirGuard& operator=(const RunDirGuard&) = delete;
  ~RunDirGuard() {
    if (paths_ != nullptr) [[maybe_unused]]
      const auto removed = remove_run_dir(*paths_);
  }
  void keep() noexcept { paths_ = nullptr; }

 private:
  const JailPaths* paths_;
};

/// Takes the jail's cgroup away again unless the start comes through.
class CgroupGuard {
 public:
  CgroupGuard() = default;
  CgroupGuard(const CgroupGuard&) = delete;
  CgroupGuard& operator=(const CgroupGuard&) = delete;
  ~CgroupGuard() {
    if (!kept_) remove_jail_cgroup();
  }
  void keep() noexcept { kept_ = true; }

 private:
  bool kept_ = false;
};

Result<Fd> open_listener(std::uint16_t port) {
  TRY(auto passed, take_listener());
  if (!passed) return listen_tcp(port);
  TRY(const auto actual, local_port(passed->get()));
  if (actual == port) return std::move(*passed);
  return std::unexpected(
      Error(fmt::format("systemd listens on port {}, the jail's PORT is {}", actual, port))
          .hint("make ListenStream= of the unit that passes the socket the same as PORT"));
}

Result<void> send_rules(const RunningInit& init, const SessionRules& rules) {
  return send_packet(init.channel.get(),
                     encode(InitMessage{.kind = InitMessage::Kind::rules, .text = encode(rules)}));
}

}  // namespace

Result<SupervisorState> start_jail_process(const SupervisorOptions& options) {
  const JailPaths paths(options.host, options.name);
  TRY(const auto text, load_jail_text(options.host, options.name));
  TRY(const auto settings, parse_jail_settings(text, paths.conf));
  CHECK(check_store(options.host));
  CHECK(make_run_dirs(options.host));
  auto lock = FileLock::take(paths.run_lock, FileLock::Wait::no);
  if (!lock) {
    return std::unexpected(std::move(lock).error().hint("the jail is running or starting already"));
  }
  CgroupGuard cgroup;  // before the process in it: it has ended by then
  TRY(auto limits, apply_limits(options, settings));
  TRY(auto launch, Launch::begin(options.name, limits.cgroup ? std::optional(limits.cgroup->get())
                                                             : std::nullopt));
  TRY(auto image, ensure_base_image(options.host));
  TRY(const auto range, lease_uid_range(options.host, options.name));
  TRY(const auto profile, load_compiled_profile(options.host, settings.profile));
  TRY(const auto root, ensure_image_view(options.host, image, profile.programs));
  const auto plan = plan_launch(options.name, paths, settings, profile, root, range.base());
  RunDirGuard run_dir(paths);
  CHECK(write_run_dir(paths, settings, is_sftp_only(profile), range.base()));
  // init puts the jail together while the firewall is told and the start noted on the disk: before
  // any connection is taken.
  CHECK(launch.go_on(plan));
  CHECK(apply_firewall(options.host, plan_firewall(options.name, settings, range.base())));
  CHECK(note_start(options.host, options.name));
  TRY(auto listener, open_listener(settings.port));
  TRY(auto init, std::move(launch).finish());
  CHECK(send_rules(init, plan_sessions(settings, profile)));
  TRY(auto control, listen_seqpacket(paths.run_dir + "/control"));
  run_dir.keep();
  cgroup.keep();
  return SupervisorState{.lock = std::move(*lock),
                         .image = std::move(image.hold),
                         .image_id = image.id,
                         .base_uid = range.base(),
                         .weaknesses = std::move(limits.weaknesses),
                         .since = std::time(nullptr),
                         .init = std::move(init),
                         .listener = std::move(listener),
                         .control = std::move(control),
                         .asker = Fd(),
                         .last_session = 0,
                         .sessions = {},
                         .settings = text,
                         .launched = launched_with(settings, profile),
                         .push_end = {}};
}

Result<void> check_places(const HostSettings& now, const HostSettings& then) {
  for (const auto& [key, place, before] :
       {std::tuple{"RUNDIR", now.rundir, then.rundir},
        std::tuple{"DATADIR", now.datadir, then.datadir},
        std::tuple{"JAILDIR", now.jaildir, then.jaildir},
        std::tuple{"FIREWALL_TABLE", now.firewall_table, then.firewall_table}}) {
    if (place == before) continue;
    return std::unexpected(
        Error(
            fmt::format("{} is another one now: '{}', the jail runs with '{}'", key, place, before))
            .hint(fmt::format("stop the jail with {}={} in force, then start it", key, before)));
  }
  return {};
}

Result<void> check_reload(const SupervisorOptions& options) {
  TRY(const auto host, load_host_settings(options.settings_file.empty() ? default_host_settings
                                                                        : options.settings_file,
                                          !options.settings_file.empty()));
  CHECK(check_places(host, options.host));
  TRY(const auto settings, load_jail(host, options.name));
  CHECK(load_compiled_profile(host, settings.profile));
  return {};
}

namespace {

/// Everything that follows the settings and can be told anew; each step can be repeated.
Result<void> put_in_force(const SupervisorOptions& options, SupervisorState& state,
                          const JailSettings& settings) {
  TRY(const auto profile, load_compiled_profile(options.host, settings.profile));
  // The firewall's watcher goes by the port that is noted there.
  CHECK(write_run_dir(JailPaths(options.host, options.name), settings, is_sftp_only(profile),
                      state.base_uid));
  CHECK(apply_firewall(options.host, plan_firewall(options.name, settings, state.base_uid)));
  TRY(auto limits, apply_limits(options, settings));
  state.weaknesses = std::move(limits.weaknesses);
  CHECK(send_rules(state.init, plan_sessions(settings, profile)));
  if (!state.launched.empty()) state.pending = changes(state.launched, settings, profile);
  return {};
}

}  // namespace

Result<JailSettings> apply_settings(const SupervisorOptions& options, SupervisorState& state,
                                    const JailSettings& before,
                                    const std::function<void()>& leave_port) {
  // Again, since it may have changed after it was tried: whoever asked hears what is wrong.
  CHECK(check_reload(options));
  const std::string file = JailPaths(options.host, options.name).conf;
  TRY(auto text, load_jail_text(options.host, options.name));
  TRY(auto settings, parse_jail_settings(text, file));
  TRY(const auto port, local_port(state.listener.get()));
  std::optional<Fd> listener;
  if (port != settings.port) {
    TRY(listener, listen_tcp(settings.port));
    leave_port();
  }
  if (auto done = put_in_force(options, state, settings); !done) {
    [[maybe_unused]] const auto undone = put_in_force(options, state, before);
    return std::unexpected(std::move(done).error());
  }
  if (listener) state.listener = std::move(*listener);
  state.settings = std::move(text);
  return settings;
}

}  // namespace evojail
