#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

#include "base/result.hpp"

namespace evojail {

/// What a jail's processes have done, read from the host's side.
struct JailWrites {
  /// Bytes that each child of init, with all below it and all that it has reaped, has caused to be
  /// written to storage (proc_pid_io(5), write_bytes). By the child's pid as init's own PID
  /// namespace has it. What ends meanwhile is left out.
  std::map<pid_t, std::uint64_t> by_child;
  std::uint64_t processes = 0;  ///< another number where processes have come or gone
  /// Processor time of all, in ticks, and how often their threads were switched in or out: who does
  /// anything between two looks has more of it at the second.
  std::uint64_t activity = 0;
  bool whole = true;  ///< false: there were more processes than were looked at
};

/// Looks at `most` processes and threads and no more, so that a crowd in a jail costs its
/// supervisor no more than that.
[[nodiscard]] Result<JailWrites> writes_below(pid_t init, std::size_t most = 4096);

}  // namespace evojail
