#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace evojail::test {

/// Which system calls a fault may meet.
enum class Calls : std::uint8_t {
  changing,  ///< creating, writing, linking, renaming, removing, attributes, syncing, ioctls
  looking,   ///< opening what exists, reading, listing, asking for attributes
};

/// What happens to one system call of a child.
struct Fault {
  unsigned at = 0;      ///< the how-manieth of the calls, from 1; 0: none
  int error = 0;        ///< the call fails with this errno value; 0: the child is killed before it
  bool onward = false;  ///< with `error`: every call from there on fails
  /// Run before the call goes on as if nothing were, instead of all that.
  std::function<void()> meanwhile{};
  Calls calls = Calls::changing;
};

struct FaultRun {
  unsigned calls = 0;  ///< how many of the calls there were
  bool hit = false;    ///< the fault was met
  bool killed = false;
  int status = -1;   ///< what `work` returned, unless killed
  std::string call;  ///< the name of the call that was hit
};

/// Runs `work` in a child whose every system call of the kind stops for the parent's leave: a
/// seccomp filter's user notification, in all of the child's threads. The child is killed at one of
/// them, or it fails, as `fault` says.
[[nodiscard]] FaultRun run_with_fault(const std::function<int()>& work, const Fault& fault);

}  // namespace evojail::test
