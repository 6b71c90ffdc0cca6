#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "store/tree_inc.hpp"
#include "store/tree_verify.hpp"
#include "support/loop_volume.hpp"

namespace evojail::test {

/// What a client would see of a tree: for each path its type, mode, owner, size, times, device
/// number, link target, attributes, contents, and the first path of its hard-link group.
using TreeDescription = std::map<std::string, std::string>;

/// Describes what is below `path`; access times are left out, and with `contents` false contents.
[[nodiscard]] TreeDescription describe_tree(const std::string& path, bool contents = true);

/// The inode numbers below `path`, itself included.
[[nodiscard]] std::set<std::uint64_t> inodes_of(const std::string& path);

[[nodiscard]] std::uint64_t inode_of(const std::string& path);
[[nodiscard]] std::uint64_t links_of(const std::string& path);
[[nodiscard]] std::string contents_of(const std::string& path);
void write_file(const std::string& path, const std::string& bytes, mode_t mode = 0644);
void set_mtime(const std::string& path, std::int64_t seconds, long nanoseconds = 0);
[[nodiscard]] Fd open_dir(const std::string& path);

/// A jail and its incs on a volume of their own.
class TreeLab {
 public:
  explicit TreeLab(FileSystem type, LoopVolume::Options options = {});

  [[nodiscard]] const LoopVolume& volume() const { return volume_; }
  [[nodiscard]] LoopVolume& volume() { return volume_; }
  /// A path below the jail's data/.
  [[nodiscard]] std::string data(const std::string& path = "") const;
  /// A path below data/ of an inc.
  [[nodiscard]] std::string inc(const std::string& name, const std::string& path = "") const;
  /// A path on the volume, outside of the jail.
  [[nodiscard]] std::string outside(const std::string& path) const;

  using Tweak = std::function<void(TreeIncRequest&)>;
  /// Takes an inc, based on `base` and its manifest unless it is empty.
  [[nodiscard]] Result<TreeIncOutcome> try_take(const std::string& name, const std::string& base,
                                                const Tweak& tweak = {});
  /// The same, and it must be complete.
  TreeIncOutcome take(const std::string& name, const std::string& base = "",
                      const Tweak& tweak = {});
  [[nodiscard]] Result<VerifyOutcome> verify(const std::string& name, bool contents = true);

  /// Waits until what has been done so far is older than the two seconds of rule 4.
  void let_stamps_age() const;

  /// The live tree and the inc are the same to a client and have no inode in common.
  void expect_faithful(const std::string& name) const;
  /// No inode is reachable both from the jail and from an inc.
  void expect_disjoint() const;

 private:
  LoopVolume volume_;
};

class TreeTest : public ::testing::TestWithParam<FileSystem> {
 protected:
  TreeTest() : lab(GetParam()) {}
  TreeLab lab;
};

/// For INSTANTIATE_TEST_SUITE_P.
[[nodiscard]] std::string file_system_name(const ::testing::TestParamInfo<FileSystem>& info);

}  // namespace evojail::test
