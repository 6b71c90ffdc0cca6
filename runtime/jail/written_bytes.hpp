#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string_view>

#include "base/result.hpp"

namespace evojail {

/// Bytes that each child of `init`, with all below it and all that it has reaped, has caused to be
/// written to storage (proc_pid_io(5), write_bytes), read from the host's side. By the child's pid
/// as init's own PID namespace has it. What ends meanwhile is left out.
[[nodiscard]] Result<std::map<pid_t, std::uint64_t>> bytes_written_below(pid_t init);

/// A line "NAME: N ..." of a file of /proc, its last number.
[[nodiscard]] std::uint64_t last_number_of(std::string_view text, std::string_view name);

}  // namespace evojail
