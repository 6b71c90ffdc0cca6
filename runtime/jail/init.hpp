#pragma once

namespace evojail {

/// The life of a jail's PID 1: makes its namespaces, hears the plan over `channel` (SEQPACKET,
/// init_protocol.hpp), takes the isolation steps of design order, tells the supervisor that it is
/// ready or which step failed, then starts, watches and ends sessions until the supervisor says
/// stop or is gone.
/// @return the exit code.
[[nodiscard]] int run_init(int channel);

}  // namespace evojail
