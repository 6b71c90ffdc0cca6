#pragma once

#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "store/tree_report.hpp"

namespace evojail {

struct VerifyOptions {
  bool contents = false;  ///< read every file and compare digests, where the manifest has them
  unsigned threads = 0;   ///< 0: as in take_tree_inc()
  TreeProgressCallback progress;
};

struct VerifyOutcome {
  std::uint64_t names = 0;           ///< names looked at, directories included
  std::uint64_t digests = 0;         ///< files whose contents were read and compared
  std::uint64_t without_digest = 0;  ///< regular files for which the manifest has none
  std::uint64_t trouble_count = 0;   ///< differences; 0: the inc is as it was taken
  std::vector<TreeTrouble> troubles;
};

/// Compares the inc open at `inc_dir_fd` with the manifest written when it was taken: nothing is
/// missing, nothing was added, and type, mode, owner, size, time and device number of each inode
/// are as recorded. Extended attributes and ACLs are not in a manifest: a change of them alone goes
/// unnoticed. A manifest of another inc, or a damaged one, is an error.
[[nodiscard]] Result<VerifyOutcome> verify_tree_inc(int inc_dir_fd, int manifest_fd,
                                                    const VerifyOptions& options = {});

}  // namespace evojail
