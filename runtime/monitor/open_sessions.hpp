#pragma once

#include <string>

#include "config/host_settings.hpp"
#include "jail/control.hpp"
#include "store/open_sessions.hpp"

namespace evojail {

/// Asks the jail's supervisor what is open now.
[[nodiscard]] OpenSessions read_open_sessions(const HostSettings& host, const std::string& name);

/// One line on a session: "3: 192.0.2.7 port 51234, since 2026-03-22T10:00:00Z, rsync --server …".
[[nodiscard]] std::string describe_session(const SessionStatus& session);

}  // namespace evojail
