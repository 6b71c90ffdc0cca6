#pragma once

#include "base/result.hpp"
#include "jail/session_rules.hpp"
#include "kernel/clone.hpp"

namespace evojail {

/// Starts `sshd -i` for one connection, from init: the connection on stdin and stdout, its log on
/// stderr, nothing else open; limits and the filter are in force before the exec. A step that fails
/// is written to the log and ends the session.
/// @param connection, log descriptors of the session; they stay the caller's.
[[nodiscard]] Result<ChildProcess> start_session(int connection, int log,
                                                 const SessionRules& rules);

}  // namespace evojail
