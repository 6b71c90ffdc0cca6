#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace evojail::test {

/// How a program ended, and the most memory it had resident (VmHWM).
struct PeakMemory {
  int code = -1;  ///< exit code; -1 where a signal ended it
  std::uint64_t kib = 0;
};

/// Runs a program with its output on stderr and looks at it right before it is gone. What
/// getrusage(2) says would not do: it counts what the process was before its execve(2), a copy of
/// the caller.
[[nodiscard]] PeakMemory run_for_peak(std::vector<std::string> words);

}  // namespace evojail::test
