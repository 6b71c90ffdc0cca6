#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "store/tree_report.hpp"

namespace evojail {

struct RemoveOutcome {
  std::uint64_t removed = 0;  ///< names removed, directories included
  bool complete = false;      ///< nothing is left
  std::uint64_t trouble_count = 0;
  std::vector<TreeTrouble> troubles;  ///< what is left and why, the first hundred
};

/// Removes `name`, of any kind, from the directory `parent_fd`, with all that is below it. Follows
/// no symbolic link, leaves another file system or mount alone, and keeps to a fixed number of
/// descriptors and to little memory at any depth and width. What cannot be removed is listed and
/// the rest goes; a directory more than 64 levels down may then have moved to the top of what is
/// left. A name that is not there is an error with ENOENT. threads: 0 as in take_tree_inc().
[[nodiscard]] Result<RemoveOutcome> remove_tree(int parent_fd, const std::string& name,
                                                unsigned threads = 0,
                                                const TreeProgressCallback& progress = {});

}  // namespace evojail
