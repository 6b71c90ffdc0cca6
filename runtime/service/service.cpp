#include "service/service.hpp"

#include <fmt/format.h>

#include "config/layout.hpp"
#include "jail/control_client.hpp"
#include "jail/jail_start.hpp"
#include "jail/notify.hpp"
#include "jail/supervisor_process.hpp"
#include "service/detached.hpp"
#include "service/failure_notice.hpp"
#include "service/journal.hpp"
#include "service/systemd.hpp"
#include "service/unit_name.hpp"
#include "store/jails.hpp"

namespace evojail {
namespace {

/// systemd and the jail's unit, where jails are its business.
struct Unit {
  Systemd systemd;
  std::string name;
  UnitState state;
};

Result<std::optional<Unit>> find_unit(const ServiceHost& service, const std::string& name) {
  if (!service.settings_file.empty() || !systemd_is_running()) return std::nullopt;
  TRY(auto systemd, Systemd::connect());
  const std::string unit = service_unit(name);
  TRY(auto state, systemd.unit_state(unit));
  if (!state.known) return std::nullopt;
  return Unit{std::move(systemd), unit, std::move(state)};
}

/// Why the unit's job did not come to a good end, in the supervisor's own words where it had any.
Error unit_failure(Unit& unit, const std::string& job_result) {
  const std::string hint = fmt::format("'journalctl -u {}' has the whole story", unit.name);
  if (const auto state = unit.systemd.unit_state(unit.name)) {
    if (auto error = failure_in_status(state->status_text)) return std::move(*error).hint(hint);
  }
  const auto words = last_words(unit.name, 1);
  if (!words.empty()) return Error(fmt::format("{}: {}", unit.name, words.back())).hint(hint);
  return Error(fmt::format("{}: systemd's job ended as '{}'", unit.name, job_result)).hint(hint);
}

std::unexpected<Error> in(std::string_view doing, const std::string& name, Error error) {
  return std::unexpected(std::move(error).in(fmt::format("{} jail '{}'", doing, name)));
}

Result<void> start(const ServiceHost& service, const std::string& name) {
  TRY(auto unit, find_unit(service, name));
  if (!unit) return start_detached(service, name);
  unit->systemd.reset_failed(unit->name);
  TRY(const auto result, unit->systemd.start(unit->name));
  if (result == "done") return {};
  return std::unexpected(unit_failure(*unit, result));
}

/// `silent` is told with the jail's name in front.
SilenceNote note_on(const ServiceHost& service, const std::string& name) {
  if (!service.waits) return {};
  return [&service, name](const Error& silence) {
    service.waits(Error(silence).in(fmt::format("jail '{}'", name)));
  };
}

Result<std::optional<Stopped>> stop_directly(const ServiceHost& service, const std::string& name) {
  const JailPaths paths(service.host, name);
  const auto waits = note_on(service, name);
  const auto stopped = ask_stop(paths, [&](const Error& silence) {
    if (waits) waits(silence);
    const auto process = SupervisorProcess::find(paths);
    if (!process || !*process) return;
    [[maybe_unused]] const auto sent = (*process)->let_go_on();
  });
  if (stopped && !*stopped) return std::nullopt;
  if (stopped) return Stopped{.sessions = *stopped};
  if (stopped.error().kind() != ErrorKind::no_answer) return std::unexpected(stopped.error());
  TRY(const auto process, SupervisorProcess::find(paths));
  // Who is there is not known for sure.
  if (!process) return std::unexpected(stopped.error());
  CHECK(process->kill());
  return Stopped{.sessions = std::nullopt, .killed = process->pid()};
}

Result<std::optional<Stopped>> stop(const ServiceHost& service, const std::string& name) {
  const JailPaths paths(service.host, name);
  TRY(auto unit, find_unit(service, name));
  if (!unit || !unit->state.active) return stop_directly(service, name);
  const auto status = ask_status(paths);
  pid_t supervisor = 0;
  if (status && *status) {
    supervisor = (*status)->pid;
  } else if (!status) {
    if (status.error().kind() != ErrorKind::no_answer) return std::unexpected(status.error());
    TRY(const auto process, SupervisorProcess::find(paths));
    if (process) supervisor = process->pid();
    if (const auto waits = note_on(service, name)) waits(status.error());
  }
  // A supervisor that somebody runs by hand is not the unit's.
  if (supervisor != 0 && unit->state.main_pid != 0 && supervisor != unit->state.main_pid) {
    return stop_directly(service, name);
  }
  // One that does not answer gets a SIGCONT, and at the end of the unit's patience a SIGKILL.
  TRY(const auto result, unit->systemd.stop(unit->name));
  if (result != "done") return std::unexpected(unit_failure(*unit, result));
  if (!status) return Stopped{};
  if (!*status) return std::nullopt;
  return Stopped{.sessions = (*status)->sessions.size()};
}

}  // namespace

Result<StartOutcome> start_jail(const ServiceHost& service, const std::string& name) {
  // The exit codes of a jail that is missing or of another layout do not cross to another process.
  CHECK(load_jail(service.host, name));
  TRY(const bool on, is_on(service, name));
  if (on) return StartOutcome::running_already;
  if (auto started = start(service, name); !started) {
    return in("starting", name, std::move(started).error());
  }
  return StartOutcome::started;
}

Result<std::optional<Stopped>> stop_jail(const ServiceHost& service, const std::string& name) {
  auto stopped = stop(service, name);
  if (!stopped) return in("stopping", name, std::move(stopped).error());
  return stopped;
}

Result<std::optional<Stopped>> restart_jail(const ServiceHost& service, const std::string& name) {
  // A jail whose settings or profile are broken is better left running.
  CHECK(check_reload({service.host, service.settings_file, name, {}}));
  TRY(const auto stopped, stop_jail(service, name));
  if (auto started = start(service, name); !started) {
    return in("starting", name, std::move(started).error());
  }
  return stopped;
}

Result<std::optional<ReloadOutcome>> reload_jail(const ServiceHost& service,
                                                 const std::string& name) {
  auto reloaded = ask_reload(JailPaths(service.host, name), note_on(service, name));
  if (!reloaded) return in("reloading", name, std::move(reloaded).error());
  return reloaded;
}

Result<bool> disable_jail(const ServiceHost& service, const std::string& name) {
  TRY(auto unit, find_unit(service, name));
  if (!unit) return false;
  TRY(const bool enabled, unit->systemd.is_enabled(unit->name));
  if (enabled) CHECK(unit->systemd.disable(unit->name));
  return enabled;
}

Result<void> enable_jail(const ServiceHost& service, const std::string& name) {
  TRY(auto unit, find_unit(service, name));
  if (unit) CHECK(unit->systemd.enable(unit->name));
  return {};
}

Result<bool> is_on(const ServiceHost& service, const std::string& name) {
  auto status = ask_status(JailPaths(service.host, name));
  if (!status) return in("asking", name, std::move(status).error());
  return status->has_value();
}

}  // namespace evojail
