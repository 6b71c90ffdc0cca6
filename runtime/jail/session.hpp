#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/fd.hpp"
#include "jail/session_log.hpp"
#include "kernel/tcp.hpp"

namespace evojail {

/// One accepted connection, as the supervisor sees it: all but `command` and `outcome`
/// are facts that the client cannot forge.
struct Session {
  std::uint32_t id = 0;
  Endpoint peer;
  Fd socket;                 ///< a descriptor of the connection, for its counters and its end
  Fd log;                    ///< reading end of what its sshd writes to stderr
  std::int64_t began = 0;    ///< seconds since the epoch
  pid_t process = 0;         ///< its sshd, as the jail's PID namespace has it
  std::string command = {};  ///< what the client says it runs, escaped
  std::string outcome = {};  ///< "exit 0", "signal 9": what the client says came of it
  bool pushed = false;       ///< is_push() of one of its commands
  SessionLog lines = {};
  std::optional<Traffic> traffic = {};  ///< as it was when the connection was reset from here
};

/// What is left of a session in DATADIR/last-session/NAME and in the log.
struct SessionRecord {
  Endpoint peer;
  std::int64_t began = 0;
  std::int64_t ended = 0;
  Traffic traffic;
  std::string command;
  std::string outcome;
  bool pushed = false;
};

/// Its line in the log: peer, length, bytes, and the client's claim, marked as one.
[[nodiscard]] std::string describe(const SessionRecord& record);

}  // namespace evojail
