#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "jail/session.hpp"

namespace evojail {

/// A Session (session.hpp) as values; its descriptors are numbers.
struct SessionValues {
  std::uint32_t id = 0;
  Endpoint peer;
  int socket = -1;
  int log = -1;
  std::int64_t began = 0;
  pid_t process = 0;
  std::vector<RunningCommand> running = {};
  std::string command = {};
  int command_pid = 0;
  std::string outcome = {};
  bool pushed = false;
  std::optional<Traffic> traffic = {};
};

/// A SupervisorState as values: what its text says before any of it is believed, so that a broken
/// text closes no descriptor and signals no process. -1 is a descriptor that is not there.
struct SupervisorValues {
  int lock = -1;
  int image = -1;
  std::string image_id = {};
  std::uint32_t base_uid = 0;
  std::vector<std::string> weaknesses = {};
  std::int64_t since = 0;
  pid_t pid = 0;  ///< of init
  int pidfd = -1;
  int channel = -1;
  int report = -1;
  int mknod_listener = -1;  ///< may be missing
  int listener = -1;
  int control = -1;
  int asker = -1;  ///< may be missing
  std::uint32_t last_session = 0;
  std::uint64_t commands = 0;
  std::string host_settings = {};
  std::string settings = {};
  std::string wanted = {};
  std::map<std::string, std::string> launched = {};
  std::vector<std::string> pending = {};
  pid_t push_pid = 0;  ///< PushEndState
  int push_pidfd = -1;
  int push_output = -1;
  bool push_again = false;
  std::vector<SessionValues> sessions = {};
};

/// Every descriptor that is there.
[[nodiscard]] std::vector<int> descriptors(const SupervisorValues& values);

/// JSON, of the version that this program writes. It may be read by another program, of before or
/// after an upgrade: members may come to be, one that is not known is passed over, and only what a
/// jail cannot live without must be there. A later version is refused, and so is what encode()
/// cannot have written: numbers out of range, a descriptor that is standard or named twice, a
/// session that comes twice.
[[nodiscard]] std::string encode(const SupervisorValues& values);
[[nodiscard]] Result<SupervisorValues> decode_supervisor_values(std::string_view text);

}  // namespace evojail
