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

/// The one stream socket that systemd passed in (sd_listen_fds(3)); nullopt when there is none.
/// More than one is an error.
[[nodiscard]] Result<std::optional<Fd>> take_listener();

}  // namespace evojail
