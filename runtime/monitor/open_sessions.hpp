#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "jail/control.hpp"

namespace evojail {

/// What an inc has to know of a jail's sessions.
struct OpenSessions {
  std::vector<std::string> lines;  ///< one a session, for the inc's record
  /// A session says that it runs a command, or the supervisor did not answer.
  bool push_in_flight = false;
  /// Nothing in the jail can be writing: it is off, or its last session ended so long ago that what
  /// it may have left behind has been killed.
  bool idle = false;
};

/// Asks each jail's supervisor; the answers are in the order of `names`.
[[nodiscard]] std::vector<OpenSessions> read_open_sessions(const HostSettings& host,
                                                           const std::vector<std::string>& names);

/// One line on a session: "3: 192.0.2.7 port 51234, since 2026-03-22T10:00:00Z, rsync --server …".
[[nodiscard]] std::string describe_session(const SessionStatus& session);

}  // namespace evojail
