#pragma once

namespace evojail {

/// What evojail-init finds open: the channel to the supervisor (init_protocol.hpp), and the user
/// namespace that it enters. 0 to 2 are /dev/null.
constexpr int init_channel = 3;
constexpr int init_user_namespace = 4;
/// The program itself, which the kernel closes as it starts.
constexpr int init_program = 5;

}  // namespace evojail
