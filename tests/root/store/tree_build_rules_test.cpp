// The rules of the tree engine about how an inc is put together and what it may rest on: 7 to 10.

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>

#include "store/tree_measure.hpp"
#include "support/without_override.hpp"
#include "tree_rules.hpp"

namespace evojail::test {
namespace {

// Rule 7: 65,000 names, ext4's limit, and one inode in each inc.
TEST_P(TreeRules, SixtyFiveThousandLinks) {
  ASSERT_EQ(::mkdir(lab.data("dir").c_str(), 0755), 0);
  write_file(lab.data("dir/0"), "one inode");
  const Fd dir = open_dir(lab.data("dir"));
  for (int i = 1; i < 65000; ++i) {
    ASSERT_EQ(::linkat(dir.get(), "0", dir.get(), std::to_string(i).c_str(), 0), 0) << i;
  }
  take_first();
  EXPECT_EQ(links_of(lab.inc("1", "dir/0")), 65000U);
  EXPECT_EQ(inodes_of(lab.inc("1", "dir")).size(), 2U);

  // The base's inode has no room for as many names again.
  const auto outcome = lab.take("2", "1");
  EXPECT_EQ(outcome.copied, 1U);
  EXPECT_EQ(outcome.grouped, 64999U);
  EXPECT_EQ(links_of(lab.inc("2", "dir/64999")), 65000U);
  EXPECT_EQ(inodes_of(lab.inc("2", "dir")).size(), 2U);
  EXPECT_EQ(links_of(lab.inc("1", "dir/0")), 65000U);
  lab.expect_disjoint();
}

// Rule 7: the base's inode serves as long as it has room for the whole group.
TEST_P(TreeRules, GroupsNearTheLimit) {
  constexpr int names = 25000;
  ASSERT_EQ(::mkdir(lab.data("dir").c_str(), 0755), 0);
  write_file(lab.data("dir/0"), "one inode");
  const Fd dir = open_dir(lab.data("dir"));
  for (int i = 1; i < names; ++i) {
    ASSERT_EQ(::linkat(dir.get(), "0", dir.get(), std::to_string(i).c_str(), 0), 0) << i;
  }
  take_first();
  auto outcome = lab.take("2", "1");  // 25,000 and 25,000 more
  EXPECT_EQ(outcome.copied, 0U);
  EXPECT_EQ(inodes_of(lab.inc("2", "dir")).size(), 2U);
  EXPECT_EQ(links_of(lab.inc("2", "dir/0")), 50000U);
  outcome = lab.take("3", "2");  // a third time is too much
  EXPECT_EQ(outcome.copied, 1U);
  EXPECT_EQ(inodes_of(lab.inc("3", "dir")).size(), 2U);
  EXPECT_EQ(links_of(lab.inc("3", "dir/0")), 25000U);
  lab.expect_disjoint();
}

// Rule 7: xfs keeps the ctime of two files that are swapped, so a trusted group may have a name
// that the base does not know. Its names stay together.
TEST_P(TreeRules, AGroupWithASwappedName) {
  for (const char* name : {"group-a", "other"}) write_file(lab.data(name), "same size");
  for (const char* name : {"group-b", "group-c"}) {
    ASSERT_EQ(::link(lab.data("group-a").c_str(), lab.data(name).c_str()), 0);
  }
  take_first();
  ASSERT_EQ(::renameat2(AT_FDCWD, lab.data("group-b").c_str(), AT_FDCWD, lab.data("other").c_str(),
                        RENAME_EXCHANGE),
            0);
  lab.take("2", "1");
  lab.expect_faithful("2");
  lab.expect_disjoint();
}

// Rule 8: default ACLs come last, or what is made in a directory would inherit from it; and the
// map of the groups is gone.
TEST_P(TreeRules, DirectoriesAreNewAndFinishedLast) {
  ASSERT_EQ(::mkdir(lab.data("dir").c_str(), 0755), 0);
  write_file(lab.data("dir/plain"), "text");
  struct Entry {
    std::uint16_t tag, permissions;
    std::uint32_t id;
  };
  std::array<Entry, 5> entries{Entry{1, 7, ~0U}, Entry{2, 7, 33}, Entry{4, 7, ~0U},
                               Entry{16, 7, ~0U}, Entry{32, 7, ~0U}};
  std::string acl("\2\0\0\0", 4);
  acl.append(reinterpret_cast<const char*>(entries.data()), sizeof entries);
  ASSERT_EQ(
      ::setxattr(lab.data("dir").c_str(), "system.posix_acl_default", acl.data(), acl.size(), 0),
      0);
  ASSERT_EQ(::mkdir(lab.data("dir/sub").c_str(), 0700), 0);
  ASSERT_EQ(::removexattr(lab.data("dir/sub").c_str(), "system.posix_acl_default"), 0);
  set_mtime(lab.data("dir"), 1000);
  take_first();
  lab.take("2", "1");
  lab.expect_faithful("1");
  lab.expect_faithful("2");
  EXPECT_FALSE(linked("dir"));
  EXPECT_FALSE(std::filesystem::exists(lab.outside("incs/2/.links")));
}

// Rule 8: a chown of everything costs a full copy, so the guard is asked all the way.
TEST_P(TreeRules, TheSpaceGuardCanEndIt) {
  ASSERT_EQ(::mkdir(lab.data("dir").c_str(), 0755), 0);
  for (int i = 0; i < 8; ++i) {
    write_file(lab.data("dir/" + std::to_string(i)), std::string(10 << 20, 'x'));
  }
  // Before anything is made it is asked for all …
  std::vector<std::uint64_t> asked;
  auto refused = lab.try_take("1", "", [&asked](TreeIncRequest& request) {
    request.reflink_required = false;
    request.space_guard = [&asked](std::uint64_t bytes) -> Result<void> {
      asked.push_back(bytes);
      return fail("the reserve is reached");
    };
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "the reserve is reached");
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_GE(asked[0], 80U << 20);
  EXPECT_FALSE(std::filesystem::exists(lab.outside("incs/1")));

  // … and then, since the tree may grow meanwhile, on the way.
  std::uint64_t sum = 0;
  asked.clear();
  refused = lab.try_take("1", "", [&asked, &sum](TreeIncRequest& request) {
    request.reflink_required = false;
    request.space_guard = [&asked, &sum](std::uint64_t bytes) -> Result<void> {
      asked.push_back(bytes);
      if (asked.size() > 1) sum += bytes;
      if (sum > (40U << 20)) return fail("the reserve is reached");
      return {};
    };
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message(), "the reserve is reached");
  EXPECT_LE(sum, 60U << 20);
  EXPECT_FALSE(std::filesystem::exists(lab.outside("meta/1")));
}

// Rule 8: what has names elsewhere, in incs of bkctld's say, is copied whole.
TEST_P(TreeRules, LinksFromOutsideMakeAFirstIncNoCheaper) {
  write_file(lab.data("file"), std::string(10 << 20, 'x'));
  ASSERT_EQ(::link(lab.data("file").c_str(), lab.data("second").c_str()), 0);
  ASSERT_EQ(::mkdir(lab.outside("elsewhere").c_str(), 0755), 0);
  for (int i = 0; i < 18; ++i) {
    const std::string name = lab.outside("elsewhere/" + std::to_string(i));
    ASSERT_EQ(::link(lab.data("file").c_str(), name.c_str()), 0);
  }
  const Fd jail = open_dir(lab.outside("jail"));
  const auto size = measure_tree(jail.get());
  ASSERT_TRUE(size);
  EXPECT_GE(size->bytes, 10U << 20);
  EXPECT_LT(size->bytes, 11U << 20);
  EXPECT_EQ(size->names, 4U);
  EXPECT_EQ(size->inodes, 4U);  // the file, data/, var/ and the inc's own directory
}

// Rule 9: with no manifest, another's or a damaged one, bytes are compared.
TEST_P(TreeRules, WithoutItsManifestTheBaseIsCompared) {
  write_file(lab.data("file"), "text");
  take_first();
  lab.take("other");
  const auto compared_with = [this](const std::string& name, const TreeLab::Tweak& tweak) {
    const auto outcome = lab.take(name, "1", tweak);
    EXPECT_EQ(outcome.compared, 1U) << name;
    EXPECT_EQ(outcome.copied, 0U) << name;
    EXPECT_TRUE(linked("file", name)) << name;
  };
  compared_with("none", [](TreeIncRequest& request) { request.base->manifest_fd = -1; });
  const Fd other(::open(lab.outside("meta/other").c_str(), O_RDONLY | O_CLOEXEC));
  compared_with("others",
                [&other](TreeIncRequest& request) { request.base->manifest_fd = other.get(); });
  write_file(lab.outside("meta/bad"), "no manifest");
  const Fd bad(::open(lab.outside("meta/bad").c_str(), O_RDONLY | O_CLOEXEC));
  compared_with("damaged",
                [&bad](TreeIncRequest& request) { request.base->manifest_fd = bad.get(); });
  lab.expect_disjoint();
}

// Rule 9: any inc may go at any time.
TEST_P(TreeRules, IncsInTheMiddleMayGo) {
  write_file(lab.data("file"), "text");
  take_first();
  lab.take("2", "1");
  std::filesystem::remove_all(lab.outside("incs/1"));
  const auto outcome = lab.take("3", "2");
  EXPECT_EQ(outcome.linked, 1U);
  std::filesystem::remove_all(lab.outside("incs/2"));
  lab.expect_faithful("3");
}

// Rule 9: a base with a bad block gives errors, and what it cannot give is copied. The live tree is
// whole, and so is the inc.
TEST_P(TreeRules, WhatTheBaseCannotGiveIsCopied) {
  ASSERT_EQ(::mkdir(lab.data("dir").c_str(), 0755), 0);
  write_file(lab.data("dir/file"), "text");
  write_file(lab.data("dir/group"), "text");
  ASSERT_EQ(::link(lab.data("dir/group").c_str(), lab.data("dir/second").c_str()), 0);
  take_first();
  ASSERT_EQ(::chmod(lab.inc("1", "dir").c_str(), 0400), 0);
  {
    const WithoutOverride without;
    const auto outcome = lab.take("2", "1");
    EXPECT_EQ(outcome.linked, 0U);
  }
  lab.expect_faithful("2");
  lab.expect_disjoint();
}

// An administrator who gives the incs a project of their own, for what they take of the disk: what
// was there before belongs to none, and the kernel lets no link cross between the two.
TEST(TreeProject, WhatCannotBeLinkedIntoAProjectIsCopied) {
  TreeLab xfs(FileSystem::xfs);
  write_file(xfs.data("one"), "text");
  write_file(xfs.data("two"), "text");
  ASSERT_EQ(::link(xfs.data("two").c_str(), xfs.data("three").c_str()), 0);
  ASSERT_EQ(::symlink("one", xfs.data("link").c_str()), 0);
  xfs.let_stamps_age();
  xfs.take("1");
  const Fd incs = open_dir(xfs.outside("incs"));
  fsxattr attributes{};
  ASSERT_EQ(::ioctl(incs.get(), FS_IOC_FSGETXATTR, &attributes), 0);
  attributes.fsx_projid = 7;
  attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
  ASSERT_EQ(::ioctl(incs.get(), FS_IOC_FSSETXATTR, &attributes), 0);
  const auto outcome = xfs.take("2", "1");
  EXPECT_EQ(outcome.linked, 0U);
  xfs.expect_faithful("2");
  EXPECT_EQ(xfs.take("3", "2").copied, 0U);
  xfs.expect_faithful("3");
}

// Rule 10: a file with a lease cannot be opened without waiting for its holder.
TEST_P(TreeRules, WhatCannotBeReadIsListed) {
  write_file(lab.data("leased"), "text");
  write_file(lab.data("other"), "text");
  const Fd holder(::open(lab.data("leased").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::fcntl(holder.get(), F_SETLEASE, F_WRLCK), 0);
  // The kernel tells the holder by SIGIO, which would end the test.
  ASSERT_EQ(::fcntl(holder.get(), F_SETSIG, SIGURG), 0);
  const auto outcome = lab.try_take("1", "");
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->partial);
  ASSERT_EQ(outcome->troubles.size(), 1U);
  EXPECT_EQ(outcome->troubles[0].path, "data/leased");
  EXPECT_EQ(contents_of(lab.inc("1", "other")), "text");
  ASSERT_EQ(::fcntl(holder.get(), F_SETLEASE, F_UNLCK), 0);
  lab.take("2");
  lab.expect_faithful("2");
}

}  // namespace
}  // namespace evojail::test
