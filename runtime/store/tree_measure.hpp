#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "store/tree_report.hpp"

namespace evojail {

struct TreeSize {
  std::uint64_t names = 0;
  std::uint64_t inodes = 0;  ///< one with several names counts once, that of the inc's root too
  std::uint64_t bytes = 0;   ///< allocated on the disk, of each inode once
};

/// What data/ and var/ below `jail_dir_fd` take on the disk: about what a first inc will cost where
/// contents cannot be shared. A look at a live tree, so not exact; what cannot be looked at counts
/// as nothing.
[[nodiscard]] Result<TreeSize> measure_tree(int jail_dir_fd, unsigned threads = 0,
                                            const TreeProgressCallback& progress = {});

}  // namespace evojail
