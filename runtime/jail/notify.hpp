#pragma once

#include <optional>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace evojail {

/// sd_booted(3): whether systemd is PID 1 of this system.
[[nodiscard]] bool systemd_is_running();

/// sd_notify(3): variables for the service manager, or for `evojail start` where systemd is not
/// PID 1. Nobody there is fine.
void notify_manager(const std::string& variables);

/// Whether the service manager executed this very process (SYSTEMD_EXEC_PID, systemd.exec(5)), and
/// not one that it descends from. An execve(2) of its own changes nothing.
[[nodiscard]] bool is_service();

/// Takes what a manager told another process out of the environment, unless this one is_service():
/// the manager of whoever started it is not this one's, and the address where `evojail start`
/// waited for READY=1 may be anybody's afterwards.
void forget_foreign_manager();

/// The one stream socket that systemd passed in (sd_listen_fds(3)); nullopt when there is none.
/// More than one is an error.
[[nodiscard]] Result<std::optional<Fd>> take_listener();

}  // namespace evojail
