#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/lock.hpp"
#include "base/result.hpp"
#include "jail/launch.hpp"
#include "jail/session.hpp"

namespace evojail {

/// What init was given for the jail's life, by the name that a person knows it by: changes of it
/// need a restart.
using LaunchedWith = std::map<std::string, std::string>;

/// An inc that the supervisor takes because a push has ended (push_end.hpp).
struct PushEndState {
  ChildProcess process{};  ///< evojail inc, while it runs
  Fd output{};             ///< what it prints
  bool again = false;      ///< another push has ended meanwhile
};

/// All that a supervisor holds: what it hands over to itself when it is executed anew.
struct SupervisorState {
  FileLock lock;  ///< JailPaths::run_lock
  Fd image;       ///< BaseImage::hold
  std::string image_id;
  std::uint32_t base_uid = 0;
  std::vector<std::string> weaknesses;  ///< of its limits (AppliedLimits)
  std::int64_t since = 0;               ///< seconds since the epoch
  RunningInit init;
  Fd listener;
  Fd control;  ///< listening control socket
  Fd asker;    ///< control connection that waits for the outcome of a reload
  std::uint32_t last_session = 0;
  std::uint64_t commands = 0;  ///< that clients say they have begun, since the jail's start
  std::map<std::uint32_t, Session> sessions;
  std::string host_settings = {};  ///< of the host, in force
  std::string settings = {};       ///< jail.conf as it was when it was last put in force
  std::string wanted = {};         ///< jail.conf as a reload has found it
  LaunchedWith launched = {};
  std::vector<std::string> pending = {};  ///< names of settings that wait for a restart
  PushEndState push_end{};
};

/// Writes the state's values into a memory file, which close-on-exec closes.
[[nodiscard]] Result<Fd> write_state(const SupervisorState& state);

/// Whether take_over() can read what write_state() wrote, for a program that is only to try it: no
/// descriptor is touched.
[[nodiscard]] Result<void> check_state(int memory);

/// SupervisorState::host_settings of a state that waits to be taken over.
[[nodiscard]] Result<std::string> peek_host_settings(int memory);

/// Sets or clears close-on-exec of all the state's descriptors: back again where the execve(2)
/// failed.
[[nodiscard]] Result<void> keep_descriptors(const SupervisorState& state, bool across_exec);

/// Takes the state back in the program that was executed; close-on-exec is set again.
[[nodiscard]] Result<SupervisorState> take_over(Fd memory, const std::string& lock_path);

}  // namespace evojail
