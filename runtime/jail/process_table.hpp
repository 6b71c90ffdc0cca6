#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "base/result.hpp"

namespace evojail {

/// One process as /proc/PID/stat tells it (proc_pid_stat(5)).
struct ProcessEntry {
  pid_t parent = 0;
  std::uint64_t start_time = 0;  ///< clock ticks since boot: tells a reused pid apart
  std::uint64_t ticks = 0;       ///< processor time, with that of all children that it has reaped
  bool dead = false;             ///< waits to be reaped, and no thread of it goes on
};

using ProcessTable = std::map<pid_t, ProcessEntry>;

/// Parses the text of a /proc/PID/stat, whose command may hold any bytes.
[[nodiscard]] std::optional<ProcessEntry> parse_process_stat(std::string_view text);

/// A line "NAME: N ..." of a file of /proc, its last number.
[[nodiscard]] std::uint64_t last_number_of(std::string_view text, std::string_view name);

/// Every process that the /proc at directory descriptor `proc` shows. Those that end meanwhile are
/// left out.
[[nodiscard]] Result<ProcessTable> read_process_table(int proc);

/// `roots` and everything below them.
[[nodiscard]] std::set<pid_t> with_descendants(const ProcessTable& table,
                                               const std::set<pid_t>& roots);

}  // namespace evojail
