#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "jail/session_log.hpp"
#include "jail/session_report.hpp"
#include "kernel/tcp.hpp"

namespace evojail {

/// A command that has begun and not ended, as the client says.
struct RunningCommand {
  int pid = 0;       ///< of its session shell, in the jail's PID namespace
  std::string text;  ///< escaped

  bool operator==(const RunningCommand&) const = default;
};

/// One accepted connection, as the supervisor sees it: all but `running`, `command`, `outcome` and
/// `pushed` are facts that the client cannot forge.
struct Session {
  std::uint32_t id = 0;
  Endpoint peer;
  Fd socket;               ///< a descriptor of the connection, for its counters and its end
  Fd log;                  ///< reading end of what its sshd writes to stderr
  std::int64_t began = 0;  ///< seconds since the epoch
  pid_t process = 0;       ///< its sshd, as the jail's PID namespace has it
  std::vector<RunningCommand> running = {};  ///< several where a client shares the connection
  std::string command = {};                  ///< the last that began; empty: none has
  int command_pid = 0;                       ///< its RunningCommand::pid
  std::string outcome = {};  ///< "exit 0", "signal 9": what the client says came of `command`
  bool pushed = false;       ///< is_push() of one of its commands
  SessionLog lines = {};
  std::optional<Traffic> traffic = {};  ///< as it was when the connection was reset from here
};

/// Takes in what the session shell of one of its commands says.
void note_report(Session& session, const SessionReport& report);

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
