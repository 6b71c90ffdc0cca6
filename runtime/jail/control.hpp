#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace evojail {

/// An open session, as `status` shows it.
struct SessionStatus {
  std::uint32_t id = 0;
  std::string peer;            ///< address
  std::uint16_t port = 0;      ///< of the peer
  std::int64_t began = 0;      ///< seconds since the epoch
  std::uint64_t received = 0;  ///< bytes
  std::uint64_t sent = 0;      ///< bytes
  std::string command;         ///< what the client says it runs now, escaped; may be empty
};

/// What a supervisor says of itself and its jail.
struct SupervisorStatus {
  pid_t pid = 0;           ///< of the supervisor
  pid_t init = 0;          ///< of the jail's init, in the host's PID namespace
  std::int64_t since = 0;  ///< seconds since the epoch; a reload keeps it
  std::uint16_t port = 0;
  std::string image;  ///< id of the base image it runs on
  std::uint32_t base_uid = 0;
  std::uint64_t commands = 0;  ///< that clients say they have begun; a reload keeps it
  std::vector<SessionStatus> sessions;
  std::vector<std::string> warnings;  ///< what is weaker than it could be, a sentence each
};

/// Requests over the control socket RUNDIR/NAME/control; each gets one reply.
struct ControlRequest {
  enum class Kind {
    status,
    reload,        ///< re-read settings and keys, re-execute the supervisor; no session is lost
    stop,          ///< end all sessions and the jail; the reply comes before the end
    end_sessions,  ///< end all sessions, keep the jail
  };
  Kind kind = Kind::status;
};

struct ControlReply {
  std::optional<SupervisorStatus> status;  ///< to `status`
  std::uint64_t sessions = 0;        ///< to `stop`, `end_sessions`, `reload`: how many it ended
  std::vector<std::string> pending;  ///< to `reload`: settings that wait for a restart
  std::string error;                 ///< not empty: the request failed, nothing was changed
  std::string hint;
};

/// JSON, one message each way. Parsing refuses unknown members and bad values. In a reply that
/// would be too long for one message, commands are cut (command_cut_mark).
[[nodiscard]] std::string encode(const ControlRequest& request);
[[nodiscard]] std::string encode(const ControlReply& reply);
[[nodiscard]] Result<ControlRequest> decode_control_request(std::string_view text);
[[nodiscard]] Result<ControlReply> decode_control_reply(std::string_view text);

}  // namespace evojail
