#pragma once

#include <optional>
#include <utility>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "jail/launch_plan.hpp"
#include "kernel/clone.hpp"

namespace evojail {

/// A jail's init that stands, and the supervisor's ends of what connects the two. With the object
/// the whole jail goes: its PID namespace ends with its init.
struct RunningInit {
  ChildProcess process;
  Fd channel;         ///< init_protocol.hpp
  Fd report;          ///< the session shells' FIFO
  Fd mknod_listener;  ///< seccomp_unotify(2)
};

/// The channel between supervisor and init, with room for all that both can have to say while
/// neither reads.
[[nodiscard]] Result<std::pair<Fd, Fd>> make_init_channel();

/// A jail that is being put together by its init, while the supervisor does other things.
class Launch {
 public:
  /// Starts init, in `cgroup` where one is given: it makes its namespaces and waits for the plan.
  [[nodiscard]] static Result<Launch> begin(const std::string& name, std::optional<int> cgroup);

  /// Makes the user namespace, and tells init what to put together.
  [[nodiscard]] Result<void> go_on(const LaunchPlan& plan);

  /// Waits until init stands; the step that failed inside it is the error, as it happened.
  [[nodiscard]] Result<RunningInit> finish() &&;

 private:
  Launch(ChildProcess process, Fd channel)
      : process_(std::move(process)), channel_(std::move(channel)) {}

  ChildProcess process_;
  Fd channel_;
};

}  // namespace evojail
