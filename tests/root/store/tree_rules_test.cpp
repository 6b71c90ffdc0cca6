// The rules of the tree engine about what proves that a file is unchanged: 1 to 6. The others are
// in tree_build_rules_test.cpp.

#include "tree_rules.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "store/tree_clock.hpp"

namespace evojail::test {
namespace {

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

// Rule 4: inodes of 128 bytes keep whole seconds and no time of birth.
TEST(TreeRule4, SmallInodesProveNoMoreThanTheyKeep) {
  LoopVolume::Options options;
  options.mkfs_options = {"-I", "128"};
  TreeLab lab(FileSystem::ext4, options);
  const auto put = [&lab](const std::string& bytes) {
    write_file(lab.data("file"), bytes);
    set_mtime(lab.data("file"), 1000);
  };
  put("text 0");
  std::string base;
  // Changes within one second that leave all that is kept of a file as it was.
  for (const std::string name : {"1", "2", "3", "4", "5", "6"}) {
    put("text " + name);
    lab.take(name, base);
    EXPECT_EQ(contents_of(lab.inc(name, "file")), "text " + name);
    base = name;
  }
  lab.let_stamps_age();
  EXPECT_EQ(lab.take("old", "6").compared, 1U);
  EXPECT_EQ(lab.take("trusted", "old").compared, 0U);
  // The number of an inode that has gone.
  ASSERT_EQ(::unlink(lab.data("file").c_str()), 0);
  put("text 7");
  lab.take("7", "trusted");
  EXPECT_EQ(contents_of(lab.inc("7", "file")), "text 7");
  lab.expect_disjoint();
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

}  // namespace
}  // namespace evojail::test
