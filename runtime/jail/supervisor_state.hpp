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
  std::map<std::uint32_t, Session> sessions;
};

/// Writes the state's values into a memory file and lets its descriptors, that file's included,
/// survive execve(2).
[[nodiscard]] Result<Fd> hand_over(const SupervisorState& state);

/// Sets or clears close-on-exec of all the state's descriptors: back again where the execve(2)
/// failed.
[[nodiscard]] Result<void> keep_descriptors(const SupervisorState& state, bool across_exec);

/// Takes the state back in the program that was executed; close-on-exec is set again.
[[nodiscard]] Result<SupervisorState> take_over(Fd memory, const std::string& lock_path);

}  // namespace evojail
