#pragma once

namespace evojail {

/// What evojail-init finds open: the channel to the supervisor (init_protocol.hpp). 0 to 2 are
/// /dev/null.
constexpr int init_channel = 3;
/// The program itself, which the kernel closes as it starts.
constexpr int init_program = 4;

}  // namespace evojail
