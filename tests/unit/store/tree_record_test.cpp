#include "store/tree_record.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

namespace evojail {
namespace {

struct statx some_file() {
  struct statx facts{};
  facts.stx_mask = STATX_BASIC_STATS | STATX_BTIME;
  facts.stx_ino = 12;
  facts.stx_size = 4096;
  facts.stx_mode = S_IFREG | 0644;
  facts.stx_uid = 33;
  facts.stx_gid = 34;
  facts.stx_nlink = 2;
  facts.stx_rdev_major = 1;
  facts.stx_rdev_minor = 3;
  facts.stx_ctime.tv_sec = 100;
  facts.stx_mtime.tv_sec = 101;
  facts.stx_btime.tv_sec = 102;
  return facts;
}

using Change = std::function<void(struct statx&)>;

const std::vector<Change> kInBoth{
    [](auto& f) { f.stx_ino = 13; },         [](auto& f) { f.stx_size = 1; },
    [](auto& f) { f.stx_mode = S_IFIFO; },   [](auto& f) { f.stx_uid = 0; },
    [](auto& f) { f.stx_gid = 0; },          [](auto& f) { f.stx_rdev_major = 9; },
    [](auto& f) { f.stx_rdev_minor = 9; },   [](auto& f) { f.stx_mtime.tv_sec = 9; },
    [](auto& f) { f.stx_mtime.tv_nsec = 9; }};
const std::vector<Change> kLiveOnly{
    [](auto& f) { f.stx_nlink = 1; },         [](auto& f) { f.stx_ctime.tv_sec = 9; },
    [](auto& f) { f.stx_ctime.tv_nsec = 9; }, [](auto& f) { f.stx_btime.tv_sec = 9; },
    [](auto& f) { f.stx_btime.tv_nsec = 9; }, [](auto& f) { f.stx_mask = STATX_BASIC_STATS; }};

TEST(TreeRecord, EveryLiveFieldCounts) {
  const TreeRecord record = record_of(some_file());
  EXPECT_TRUE(same_live(record, some_file()));
  for (const auto& changes : {kInBoth, kLiveOnly}) {
    for (std::size_t i = 0; i < changes.size(); ++i) {
      struct statx facts = some_file();
      changes[i](facts);
      EXPECT_FALSE(same_live(record, facts)) << i;
      EXPECT_FALSE(same_moment(some_file(), facts)) << i;
    }
  }
}

TEST(TreeRecord, TheIncsInodeChangesWithEachLinkButNotInItself) {
  TreeRecord record = record_of(some_file());
  record.inc_inode = 12;
  for (std::size_t i = 0; i < kInBoth.size(); ++i) {
    struct statx facts = some_file();
    kInBoth[i](facts);
    EXPECT_FALSE(same_inc(record, facts)) << i;
  }
  for (std::size_t i = 0; i < kLiveOnly.size(); ++i) {
    struct statx facts = some_file();
    kLiveOnly[i](facts);
    EXPECT_TRUE(same_inc(record, facts)) << i;
  }
}

TEST(TreeRecord, ADirectorysSizeIsItsOwnAffair) {
  struct statx facts = some_file();
  facts.stx_mode = S_IFDIR | 0755;
  TreeRecord record = record_of(facts);
  record.inc_inode = 12;
  facts.stx_size = 1 << 20;
  EXPECT_TRUE(same_inc(record, facts));
}

}  // namespace
}  // namespace evojail
