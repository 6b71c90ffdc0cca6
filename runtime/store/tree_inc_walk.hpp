#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "store/tree_directory.hpp"
#include "store/tree_inc_file.hpp"
#include "store/tree_inc_state.hpp"

namespace evojail {

/// What TreeWalk does with each directory when an inc is taken. One object a thread.
class TreeIncWalk {
 public:
  using Place = TreePlace;
  struct Mark {
    std::uint64_t live = 0;
    std::uint64_t copy = 0;
    std::uint64_t base = 0;  ///< 0: it had none
    DirectoryPosition resume;
    TreeTime changed;
  };

  explicit TreeIncWalk(TreeIncState& state) : state_(state), taker_(state) {}

  /// Opens a directory in the three trees, making it in the copy; nothing where it is not entered.
  [[nodiscard]] Result<std::optional<TreePlace>> open(const TreePlace& parent, const char* name);
  /// Hands the records over; when all is done.
  void finish() { taker_.finish(); }

  // For TreeWalk.
  static int descriptor(const TreePlace& place) { return place.live.get(); }
  bool names(const TreePlace& place, const std::vector<DirectoryEntry>& entries);
  bool enter(const TreePlace& place, const DirectoryEntry& entry, std::optional<TreePlace>& child);
  bool leave(const TreePlace& place);
  static Mark close(TreePlace place);
  std::optional<TreePlace> reopen(const TreePlace& child, const Mark& mark);
  void unreadable(const TreePlace& place, int code);

 private:
  void find_moved_base(TreePlace& place);
  [[nodiscard]] Result<void> complete(const TreePlace& place);
  [[nodiscard]] Result<void> record(const TreePlace& place, const struct statx& live);
  bool ended(Error error);

  TreeIncState& state_;
  TreeFileTaker taker_;
  TreeManifest::Cache cache_;
};

}  // namespace evojail
