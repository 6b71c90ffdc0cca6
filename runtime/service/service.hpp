#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "jail/control_client.hpp"

namespace evojail {

/// Starts and stops jails: through systemd where it is PID 1 and knows evojail@.service, else as
/// detached supervisors. A unit knows the default settings only, so with others it is always the
/// latter.
struct ServiceHost {
  HostSettings host;
  std::string settings_file;  ///< absolute; empty: the default
  SilenceNote waits = {};     ///< told before a supervisor that does not answer is waited for
};

enum class StartOutcome { started, running_already };

/// Returns when the jail's port answers, or with the reason why it does not.
[[nodiscard]] Result<StartOutcome> start_jail(const ServiceHost& service, const std::string& name);

/// How a jail that ran was stopped.
struct Stopped {
  /// How many ended; nullopt: the supervisor did not answer, and was ended all the same.
  std::optional<std::uint64_t> sessions;
  pid_t killed = 0;  ///< the supervisor, where that took a SIGKILL
};

/// Returns when nothing of the jail is left. A supervisor that does not answer is let go on where
/// it was stopped, and in the end killed, which takes its jail along; where it is systemd's,
/// systemd does that. nullopt when the jail was off.
[[nodiscard]] Result<std::optional<Stopped>> stop_jail(const ServiceHost& service,
                                                       const std::string& name);

/// Stops the jail where it runs, and starts it. @return as stop_jail().
[[nodiscard]] Result<std::optional<Stopped>> restart_jail(const ServiceHost& service,
                                                          const std::string& name);

/// Settings, keys and program anew, in place: no session is lost but those whose port or address
/// the settings no longer have. nullopt when the jail is off.
[[nodiscard]] Result<std::optional<ReloadOutcome>> reload_jail(const ServiceHost& service,
                                                               const std::string& name);

/// Whether the jail starts at boot: takes a jail that is no more out of that, or puts one in. Where
/// jails are not systemd's business, nothing is done.
/// @return of disable_jail(): whether it was in.
[[nodiscard]] Result<bool> disable_jail(const ServiceHost& service, const std::string& name);
[[nodiscard]] Result<void> enable_jail(const ServiceHost& service, const std::string& name);

/// Whether the jail's supervisor answers.
[[nodiscard]] Result<bool> is_on(const ServiceHost& service, const std::string& name);

}  // namespace evojail
