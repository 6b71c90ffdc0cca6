#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "store/tree_manifest.hpp"
#include "store/tree_sorter.hpp"

namespace evojail {

/// Writes one manifest. Records come in any order and once for each name; those of one inode become
/// one. A writer that is destroyed before finish() leaves no file.
class TreeManifestWriter {
 public:
  /// A record that stands for one more name of an inode that has a full record already.
  static constexpr std::uint32_t kNameOnly = 1U << 31;

  [[nodiscard]] static Result<TreeManifestWriter> create(int dir, const std::string& name);
  /// Writes onto an open file without a name, which stays the caller's; nothing is synced.
  [[nodiscard]] static Result<TreeManifestWriter> onto(int file);
  TreeManifestWriter(TreeManifestWriter&& other) noexcept;
  TreeManifestWriter& operator=(TreeManifestWriter&&) = delete;
  ~TreeManifestWriter();

  /// Records of inodes that changed at or after `time` will not be trusted.
  void distrust_from(const TreeTime& time) { distrusted_from_ = time; }

  /// Takes all records of the sorter, whose order is Order::live, writes the file and brings it,
  /// and its name, to the disk. `header.records` and `.names` are filled in here.
  [[nodiscard]] Result<TreeManifestHeader> finish(TreeSorter& records, TreeManifestHeader header);

 private:
  TreeManifestWriter(Fd file, Fd dir, std::string name);

  [[nodiscard]] Result<void> take(const TreeRecord& record);
  [[nodiscard]] Result<void> put(TreeRecord record);
  [[nodiscard]] Result<void> write_block();
  [[nodiscard]] Result<void> flush();

  Fd file_;
  Fd dir_;
  std::string name_;
  bool finished_ = false;
  std::optional<TreeTime> distrusted_from_;

  std::optional<TreeRecord> pending_;  // the inode that is being put together
  bool split_ = false;                 // its live inode has more than one copy in the inc
  std::uint64_t records_ = 0;
  std::uint64_t names_ = 0;
  std::vector<TreeRecord> block_;
  std::vector<std::uint64_t> index_;
  std::string unwritten_;
  std::uint64_t written_ = 0;  // bytes, the header's block included
};

}  // namespace evojail
