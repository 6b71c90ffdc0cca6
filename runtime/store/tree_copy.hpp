#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "store/tree_budget.hpp"
#include "store/tree_meter.hpp"

namespace evojail {

/// What stood in the way of one file. The side decides what it means: the live tree is the
/// client's, and what cannot be read there is listed; a volume that cannot be written to ends the
/// inc.
struct TreeFault {
  int code = 0;  ///< errno value, 0: none
  bool writing = false;
  explicit operator bool() const { return code != 0; }
};

struct CopyResult {
  TreeFault fault;
  std::uint64_t bytes = 0;   ///< read from the source
  std::uint64_t digest = 0;  ///< ContentsDigest
};

/// Copies the contents of `source`, a regular file of `facts.stx_size` bytes, into the empty file
/// `target`, holes as holes. A file that shrinks meanwhile is copied as far as it goes: compare
/// statx(2) before and after. The budget's refusal is returned as such.
[[nodiscard]] Result<CopyResult> copy_contents(int source, const struct statx& facts, int target,
                                               std::span<std::byte> buffer, TreeBudget& budget,
                                               TreeMeter& meter);

/// Shares the contents of `source` with the empty file `target` (FICLONE, ioctl_ficlonerange(2)).
[[nodiscard]] TreeFault clone_contents(int source, int target);

/// pread(2) of as much of `part` as the file goes; `got` says how far. Returns an errno value.
[[nodiscard]] int read_part(int fd, std::span<std::byte> part, std::uint64_t offset,
                            std::size_t& got);

}  // namespace evojail
