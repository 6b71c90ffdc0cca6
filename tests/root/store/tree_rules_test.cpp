// The rules of the tree engine, each with the experiment that it answers.

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "store/tree_clock.hpp"
#include "store/tree_manifest.hpp"
#include "store/tree_manifest_writer.hpp"
#include "tree_lab.hpp"

namespace evojail::test {
namespace {

class TreeRules : public TreeTest {
 protected:
  /// A file whose stamps are past their two seconds when the first inc is taken.
  void take_first() {
    lab.let_stamps_age();
    lab.take("1");
  }
  [[nodiscard]] bool linked(const std::string& path, const std::string& name = "2",
                            const std::string& base = "1") const {
    return inode_of(lab.inc(name, path)) == inode_of(lab.inc(base, path));
  }
  /// Writes the manifest `name` anew, with another header or other records.
  void rewrite_manifest(const std::string& name,
                        const std::function<void(TreeManifestHeader&)>& header,
                        const std::function<void(TreeRecord&)>& change = {}) const {
    const std::string path = lab.outside("meta/" + name);
    const Fd meta = open_dir(lab.outside("meta"));
    const Fd old(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const auto manifest = TreeManifest::open(old.get());
    ASSERT_TRUE(manifest);
    TreeSorter sorter(TreeSorter::Order::live, meta.get(), 1);
    TreeSorter::Sink sink(sorter);
    std::vector<TreeRecord> records;
    for (std::uint64_t block = 0; block < manifest->blocks(); ++block) {
      ASSERT_TRUE(manifest->read_block(block, records));
      for (auto& record : records) {
        if (change) change(record);
        ASSERT_TRUE(sink.add(record));
      }
    }
    sink.finish();
    ASSERT_EQ(::unlink(path.c_str()), 0);
    auto writer = TreeManifestWriter::create(meta.get(), name);
    ASSERT_TRUE(writer);
    TreeManifestHeader changed = manifest->header();
    header(changed);
    ASSERT_TRUE(writer->finish(sorter, changed));
  }
};
INSTANTIATE_TEST_SUITE_P(Volumes, TreeRules, ::testing::Values(FileSystem::ext4, FileSystem::xfs),
                         file_system_name);

// Rule 1.
TEST(TreeRule1, LazytimeIsRefused) {
  LoopVolume::Options options;
  options.mount_flags |= MS_LAZYTIME;
  TreeLab lazy(FileSystem::ext4, options);
  const auto refused = lazy.try_take("1", "");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("lazytime"), std::string::npos);
  EXPECT_NE(refused.error().hint(), "");
  EXPECT_FALSE(std::filesystem::exists(lazy.outside("incs/1")));
}

TEST(TreeRule1, OtherFileSystemsAreRefused) {
  TreeLab btrfs(FileSystem::btrfs);
  const auto refused = btrfs.try_take("1", "");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("neither ext4 nor xfs"), std::string::npos);
}

// Rules 2 and 4. A store through a mapping leaves a stamp only when its page faults, and the page
// is clean, so that it faults, only after `syncfs`.
TEST_P(TreeRules, StoresThroughAMapping) {
  write_file(lab.data("mapped"), std::string(8192, 'a'));
  const Fd file(::open(lab.data("mapped").c_str(), O_RDWR | O_CLOEXEC));
  auto* bytes =
      static_cast<char*>(::mmap(nullptr, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
  ASSERT_NE(bytes, MAP_FAILED);
  bytes[0] = 'b';  // the page is dirty now, and the next store leaves no stamp …
  lab.let_stamps_age();
  bytes[1] = 'b';
  lab.take("1");
  EXPECT_EQ(contents_of(lab.inc("1", "mapped")).substr(0, 3), "bba");

  // … but the inc has synced it: this one does.
  bytes[2] = 'c';
  lab.take("2", "1");
  EXPECT_EQ(contents_of(lab.inc("2", "mapped")).substr(0, 3), "bbc");
  EXPECT_EQ(contents_of(lab.inc("1", "mapped")).substr(0, 3), "bba");

  // And again, with the first store long ago.
  lab.let_stamps_age();
  lab.take("3", "2");
  bytes[4096] = 'd';
  lab.take("4", "3");
  EXPECT_EQ(contents_of(lab.inc("4", "mapped"))[4096], 'd');
  EXPECT_EQ(contents_of(lab.inc("3", "mapped"))[4096], 'a');
  ASSERT_EQ(::munmap(bytes, 8192), 0);
  lab.expect_faithful("4");
  lab.expect_disjoint();
}

// Rule 3. A swap of directories leaves the files in them as they were, stamps and all: only their
// inodes tell that other files have the names now.
TEST_P(TreeRules, SwappedDirectories) {
  for (const char* dir : {"a", "b"}) {
    ASSERT_EQ(::mkdir(lab.data(dir).c_str(), 0755), 0);
    const std::string path = lab.data(std::string(dir) + "/file");
    write_file(path, std::string("contents of ") + dir);
    set_mtime(path, 1000);
  }
  take_first();
  ASSERT_EQ(::renameat2(AT_FDCWD, lab.data("a").c_str(), AT_FDCWD, lab.data("b").c_str(),
                        RENAME_EXCHANGE),
            0);
  const auto outcome = lab.take("2", "1");
  EXPECT_EQ(contents_of(lab.inc("2", "a/file")), "contents of b");
  lab.expect_faithful("2");
  // They are found where they were in the base.
  EXPECT_EQ(outcome.linked, 2U);
  EXPECT_EQ(inode_of(lab.inc("2", "a/file")), inode_of(lab.inc("1", "b/file")));
}

TEST_P(TreeRules, SwappedFiles) {
  for (const char* name : {"a", "b"}) {
    write_file(lab.data(name), std::string("contents of ") + name);
    set_mtime(lab.data(name), 1000);
  }
  take_first();
  ASSERT_EQ(::renameat2(AT_FDCWD, lab.data("a").c_str(), AT_FDCWD, lab.data("b").c_str(),
                        RENAME_EXCHANGE),
            0);
  lab.take("2", "1");
  EXPECT_EQ(contents_of(lab.inc("2", "a")), "contents of b");
  EXPECT_EQ(contents_of(lab.inc("2", "b")), "contents of a");
  lab.expect_faithful("2");
}

// A tree that was moved as a whole costs no copy.
TEST_P(TreeRules, MovedDirectoriesAreFoundAgain) {
  ASSERT_EQ(::mkdir(lab.data("old").c_str(), 0755), 0);
  ASSERT_EQ(::mkdir(lab.data("old/deep").c_str(), 0755), 0);
  ASSERT_EQ(::mkdir(lab.data("new").c_str(), 0755), 0);
  write_file(lab.data("old/file"), "text");
  write_file(lab.data("old/deep/file"), "more text");
  take_first();
  ASSERT_EQ(::rename(lab.data("old").c_str(), lab.data("new/place").c_str()), 0);
  // A name that somebody else has now, with other files in it.
  ASSERT_EQ(::mkdir(lab.data("old").c_str(), 0755), 0);
  write_file(lab.data("old/file"), "TEXT");
  const auto outcome = lab.take("2", "1");
  EXPECT_EQ(outcome.linked, 2U);
  EXPECT_EQ(outcome.copied, 1U);
  EXPECT_EQ(inode_of(lab.inc("2", "new/place/deep/file")), inode_of(lab.inc("1", "old/deep/file")));
  lab.expect_faithful("2");
  lab.expect_disjoint();
}

// A number that is used again is another inode, however much of it is forged.
TEST_P(TreeRules, InodeNumbersThatAreUsedAgain) {
  int reused = 0;
  for (int round = 0; round < 20; ++round) {
    const std::string name = "file-" + std::to_string(round);
    write_file(lab.data(name), "first");
    set_mtime(lab.data(name), 1000);
  }
  take_first();
  for (int round = 0; round < 20; ++round) {
    const std::string name = "file-" + std::to_string(round);
    const auto before = inode_of(lab.data(name));
    ASSERT_EQ(::unlink(lab.data(name).c_str()), 0);
    write_file(lab.data(name), "later");
    set_mtime(lab.data(name), 1000);
    if (inode_of(lab.data(name)) == before) ++reused;
  }
  lab.take("2", "1");
  for (int round = 0; round < 20; ++round) {
    EXPECT_EQ(contents_of(lab.inc("2", "file-" + std::to_string(round))), "later");
  }
  RecordProperty("reused", reused);
  lab.expect_faithful("2");
}

// Rule 4: what was written in the last two seconds may have been stamped before its data came.
TEST_P(TreeRules, FreshStampsProveNothing) {
  write_file(lab.data("fresh"), "text");
  lab.take("1");
  auto outcome = lab.take("2", "1");
  EXPECT_EQ(outcome.compared, 1U);
  EXPECT_EQ(outcome.linked, 1U);
  EXPECT_TRUE(linked("fresh"));
  // Compared when it was old enough, it is trusted from then on.
  lab.let_stamps_age();
  outcome = lab.take("3", "2");
  EXPECT_EQ(outcome.compared, 1U);
  outcome = lab.take("4", "3");
  EXPECT_EQ(outcome.compared, 0U);
  EXPECT_EQ(outcome.linked, 1U);
}

// Rule 4: and while a session is open, in the last minute.
TEST_P(TreeRules, WithASessionAMinuteProvesNothing) {
  write_file(lab.data("file"), "text");
  lab.let_stamps_age();
  lab.take("1", "", [](TreeIncRequest& request) { request.sessions_open = {}; });
  auto outcome = lab.take("2", "1");
  EXPECT_EQ(outcome.compared, 1U);
  outcome = lab.take("3", "2");
  EXPECT_EQ(outcome.compared, 0U);
  // One that shows after the walk only may have been there all the time.
  write_file(lab.data("other"), "text");
  lab.let_stamps_age();
  unsigned asked = 0;
  lab.take("4", "3", [&asked](TreeIncRequest& request) {
    request.sessions_open = [&asked] { return ++asked > 1; };
  });
  EXPECT_EQ(asked, 2U);
  outcome = lab.take("5", "4");
  EXPECT_GE(outcome.compared, 1U);
  outcome = lab.take("6", "5");
  EXPECT_EQ(outcome.compared, 0U);
}

// Rule 4: a clock that was set while the inc was taken proves nothing.
TEST_P(TreeRules, AClockThatWasSetProvesNothing) {
  write_file(lab.data("file"), "text");
  take_first();
  rewrite_manifest("1", [](TreeManifestHeader& header) { header.steady_clock = false; });
  auto outcome = lab.take("2", "1");
  EXPECT_EQ(outcome.compared, 1U);
  outcome = lab.take("3", "2");
  EXPECT_EQ(outcome.compared, 0U);
}

TEST(TreeRule4, AStepOfTheClockIsSeenAgainstTheOneNobodySets) {
  using std::chrono::milliseconds;
  const TreeMoment begin = TreeMoment::now();
  TreeMoment end = TreeMoment::now();
  EXPECT_TRUE(steady(begin, end));
  for (const auto step : {milliseconds(1000), milliseconds(-1000), milliseconds(5000)}) {
    end.offset = begin.offset + step;
    EXPECT_FALSE(steady(begin, end));
  }
  end.offset = begin.offset + milliseconds(900);
  EXPECT_TRUE(steady(begin, end));
}

// Rule 5: size, modification time and mode are the client's to forge, ctime is not.
TEST_P(TreeRules, AChangeBehindAForgedTime) {
  write_file(lab.data("file"), "good text");
  set_mtime(lab.data("file"), 1000, 5);
  take_first();
  write_file(lab.data("file"), "evil text");
  set_mtime(lab.data("file"), 1000, 5);
  lab.take("2", "1");
  EXPECT_EQ(contents_of(lab.inc("2", "file")), "evil text");
  EXPECT_EQ(contents_of(lab.inc("1", "file")), "good text");
}

// Rule 5: where only ctime changed, the bytes are compared and the base's inode serves again.
TEST_P(TreeRules, AnEqualFileIsComparedAndLinked) {
  write_file(lab.data("file"), "text");
  write_file(lab.data("other"), "text");
  take_first();
  ASSERT_EQ(::chmod(lab.data("file").c_str(), 0600), 0);
  ASSERT_EQ(::chmod(lab.data("file").c_str(), 0644), 0);
  ASSERT_EQ(::chmod(lab.data("other").c_str(), 0600), 0);
  const auto outcome = lab.take("2", "1");
  EXPECT_EQ(outcome.compared, 1U);
  EXPECT_TRUE(linked("file"));
  EXPECT_FALSE(linked("other"));
  lab.expect_faithful("2");
}

// Rule 5: attributes are compared with the bytes.
TEST_P(TreeRules, AnotherAttributeIsAnotherFile) {
  write_file(lab.data("file"), "text");
  ASSERT_EQ(::setxattr(lab.data("file").c_str(), "user.note", "1", 1, 0), 0);
  take_first();
  ASSERT_EQ(::setxattr(lab.data("file").c_str(), "user.note", "2", 1, 0), 0);
  lab.take("2", "1");
  EXPECT_FALSE(linked("file"));
  lab.expect_faithful("2");
}

// Rule 5: an inc that somebody wrote to is not built on.
TEST_P(TreeRules, AnIncThatWasTouchedIsNotLinkedTo) {
  for (const char* name : {"size", "mode", "owner", "time", "replaced", "gone", "clean"}) {
    write_file(lab.data(name), "text");
  }
  take_first();
  const auto before = describe_tree(lab.data());
  write_file(lab.inc("1", "size"), "longer text");
  ASSERT_EQ(::chmod(lab.inc("1", "mode").c_str(), 0666), 0);
  ASSERT_EQ(::chown(lab.inc("1", "owner").c_str(), 1, 1), 0);
  set_mtime(lab.inc("1", "time"), 5);
  ASSERT_EQ(::unlink(lab.inc("1", "gone").c_str()), 0);
  ASSERT_EQ(::unlink(lab.inc("1", "replaced").c_str()), 0);
  ASSERT_EQ(::symlink("/etc/passwd", lab.inc("1", "replaced").c_str()), 0);
  const auto outcome = lab.take("2", "1");
  EXPECT_EQ(outcome.linked, 1U);
  EXPECT_TRUE(linked("clean"));
  EXPECT_EQ(describe_tree(lab.inc("2")), before);
  lab.expect_disjoint();
}

// Rule 6: after a crash the disk may hold new data under an old ctime.
TEST_P(TreeRules, AnotherBootIsComparedOnce) {
  write_file(lab.data("file"), "text");
  take_first();
  rewrite_manifest("1", [](TreeManifestHeader& header) { header.boot_id.fill(std::byte{1}); });
  BootId before;
  before.fill(std::byte{1});
  auto outcome = lab.take(
      "clean", "1", [&before](TreeIncRequest& request) { request.clean_boots = {&before, 1}; });
  EXPECT_EQ(outcome.compared, 0U);
  EXPECT_EQ(outcome.linked, 1U);
  outcome = lab.take("2", "1");
  EXPECT_EQ(outcome.compared, 1U);
  EXPECT_TRUE(linked("file"));
  outcome = lab.take("3", "2");
  EXPECT_EQ(outcome.compared, 0U);
}

// Rule 6: a stamp at or after T is compared, whatever else agrees: the clock was set back. Nobody
// but debugfs(8) can make such a stamp here.
TEST_P(TreeRules, StampsFromTheFuture) {
  if (GetParam() != FileSystem::ext4) return;
  write_file(lab.data("file"), "text");
  const std::string command =
      fmt::format("debugfs -w -R 'set_inode_field <{}> ctime 20990101' {} >/dev/null 2>&1",
                  inode_of(lab.data("file")), lab.volume().device());
  lab.volume().unmount();
  ASSERT_EQ(std::system(command.c_str()), 0);
  lab.volume().mount();
  lab.take("1");
  rewrite_manifest(
      "1", [](TreeManifestHeader&) {},
      [](TreeRecord& record) {
        EXPECT_TRUE(S_ISDIR(record.mode) || record.changed.seconds > 4'000'000'000);
        record.flags |= TreeRecord::kTrusted;
      });
  auto outcome = lab.take("2", "1");
  EXPECT_EQ(outcome.compared, 1U);
  EXPECT_TRUE(linked("file"));
}

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
