#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "store/tree_copy.hpp"

namespace evojail {

struct CompareResult {
  TreeFault fault;  ///< `writing` stands for the base, a file of the host's own
  bool equal = false;
  std::uint64_t bytes = 0;   ///< read from the live file
  std::uint64_t digest = 0;  ///< ContentsDigest, where equal
};

/// Compares the contents of two regular files of the same size; where both have a hole nothing is
/// read. `buffer` is shared by the two sides.
[[nodiscard]] CompareResult compare_contents(int live, const struct statx& live_facts, int base,
                                             const struct statx& base_facts,
                                             std::span<std::byte> buffer, TreeMeter& meter);

}  // namespace evojail
