#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "store/tree_attributes.hpp"
#include "store/tree_inc_state.hpp"

namespace evojail {

/// Brings names that are no directories from the live tree into the inc: by a link to the base's
/// inode, a link to the copy of another name, or a copy. One object a thread.
class TreeFileTaker {
 public:
  explicit TreeFileTaker(TreeIncState& state);

  /// Takes `name`; an error is one that ends the inc.
  [[nodiscard]] Result<void> take(const TreePlace& place, const char* name);

  /// Hands the records over; when all is done.
  void finish() { sink_.finish(); }
  [[nodiscard]] Result<void> add_record(const TreeRecord& record) { return sink_.add(record); }

 private:
  /// One attempt to copy or compare: the record, and whether the file changed meanwhile.
  struct Attempt {
    std::optional<TreeRecord> record;
    bool copied = false;  // not linked
    bool changed = false;
  };
  struct Source;

  [[nodiscard]] bool may_link(const TreeRecord& record, const struct statx& live) const;
  [[nodiscard]] Result<bool> link_recorded(const TreePlace& place, const char* name,
                                           const TreeRecord& record);
  [[nodiscard]] Result<void> take_group(const TreePlace& place, const char* name,
                                        const struct statx& live,
                                        const std::optional<TreeRecord>& record);
  [[nodiscard]] Result<std::optional<TreeRecord>> copy_or_compare(const TreePlace& place,
                                                                  const char* name);
  [[nodiscard]] Result<Attempt> attempt(const TreePlace& place, const char* name);
  [[nodiscard]] Result<std::optional<TreeRecord>> link_equal(const TreePlace& place,
                                                             const char* name, Source& source);
  [[nodiscard]] Result<bool> link_base(const TreePlace& place, const char* name,
                                       const Source& source, int node, std::uint64_t inode);
  [[nodiscard]] Result<std::optional<TreeRecord>> copy(const TreePlace& place, const char* name,
                                                       Source& source);
  [[nodiscard]] Result<std::optional<TreeRecord>> copy_file(const TreePlace& place,
                                                            const char* name, Source& source);
  [[nodiscard]] Result<bool> make_special(const TreePlace& place, const char* name, Source& source);
  [[nodiscard]] Result<void> set_attributes(const TreePlace& place, const char* name, int dir,
                                            const char* entry, Source& source);
  [[nodiscard]] Result<void> remove_copy(const TreePlace& place, const char* name) const;

  TreeIncState& state_;
  TreeSorter::Sink sink_;
  TreeManifest::Cache cache_;
  std::vector<std::byte> buffer_;
};

}  // namespace evojail
