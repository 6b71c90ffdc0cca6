#pragma once

#include "jail/launch_plan.hpp"

namespace evojail {

/// The life of a jail's PID 1: takes the isolation steps of design order, tells the supervisor over
/// `channel` (SEQPACKET, init_protocol.hpp) that it is ready or which step failed, then starts,
/// watches and ends sessions until the supervisor says stop or is gone.
/// @param channel, user_namespace descriptors; everything else that is open is closed.
/// @return the exit code.
[[nodiscard]] int run_init(const LaunchPlan& plan, int channel, int user_namespace);

}  // namespace evojail
