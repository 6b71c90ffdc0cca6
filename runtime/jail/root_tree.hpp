#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "jail/launch_plan.hpp"

namespace evojail {

/// Puts the jail's root together in the caller's mount namespace, which is its own and private, and
/// moves into it. The caller is still root on the host, in a new PID namespace: every mount made
/// here belongs to the host's user namespace, so root in the jail can change none of them.
/// @return the jail's report FIFO, open for reading.
[[nodiscard]] Result<Fd> enter_root_tree(const LaunchPlan& plan, int user_namespace);

}  // namespace evojail
