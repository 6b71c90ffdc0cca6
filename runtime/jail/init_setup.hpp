#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "jail/launch_plan.hpp"

namespace evojail {

/// What init has in hand once it is inside.
struct InitHandles {
  Fd proc;            ///< a /proc of the jail that shows every process; mounted nowhere
  Fd report;          ///< the report FIFO, for the supervisor
  Fd mknod_listener;  ///< of LaunchPlan::mknod_filter, for the supervisor
};

/// All namespaces of a jail but its PID namespace, which it begins in, and the user namespace. They
/// belong to the host's.
[[nodiscard]] Result<void> enter_namespaces();

/// From there to the jail's init: the order of the steps is the policy.
[[nodiscard]] Result<InitHandles> isolate(const LaunchPlan& plan, Fd user_namespace);

}  // namespace evojail
