// Removal of what a hostile client may have left.

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "store/tree_remove.hpp"
#include "tree_lab.hpp"

namespace evojail::test {
namespace {

class TreeRemoval : public TreeTest {
 protected:
  void SetUp() override { ASSERT_EQ(::mkdir(lab.outside("tree").c_str(), 0755), 0); }

  [[nodiscard]] RemoveOutcome remove() const {
    auto outcome = remove_tree(open_dir(lab.outside("")).get(), "tree", 2);
    EXPECT_TRUE(outcome);
    return outcome ? *outcome : RemoveOutcome{};
  }
  void expect_gone(std::uint64_t removed) const {
    const auto outcome = remove();
    for (const auto& trouble : outcome.troubles) {
      ADD_FAILURE() << trouble.path << ": " << trouble.reason;
    }
    EXPECT_TRUE(outcome.complete);
    EXPECT_EQ(outcome.removed, removed);
    EXPECT_FALSE(std::filesystem::exists(lab.outside("tree")));
  }
  void set_immutable(const std::string& path, bool on) const {
    const Fd file(::open(lab.outside(path).c_str(), O_RDONLY | O_CLOEXEC));
    int flags = 0;
    ASSERT_EQ(::ioctl(file.get(), FS_IOC_GETFLAGS, &flags), 0);
    flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    ASSERT_EQ(::ioctl(file.get(), FS_IOC_SETFLAGS, &flags), 0);
  }
};
INSTANTIATE_TEST_SUITE_P(Volumes, TreeRemoval, ::testing::Values(FileSystem::ext4, FileSystem::xfs),
                         file_system_name);

TEST_P(TreeRemoval, TwentyThousandLevels) {
  Fd at = open_dir(lab.outside("tree"));
  for (int i = 0; i < 20'000; ++i) {
    ASSERT_EQ(::mkdirat(at.get(), "d", 0755), 0);
    at = Fd(::openat(at.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_EQ(::symlinkat("to", at.get(), "link"), 0);
  }
  at.reset();
  expect_gone(40'001);
}

TEST_P(TreeRemoval, ManyNamesOfFewInodes) {
  const Fd dir = open_dir(lab.outside("tree"));
  write_file(lab.outside("tree/0"), "one");
  for (int i = 1; i < 65'000; ++i) {
    ASSERT_EQ(::linkat(dir.get(), "0", dir.get(), std::to_string(i).c_str(), 0), 0) << i;
  }
  expect_gone(65'001);
}

TEST_P(TreeRemoval, OneOfEachKind) {
  for (const mode_t type :
       std::initializer_list<mode_t>{S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK}) {
    ASSERT_EQ(::mknod(lab.outside("tree/node" + std::to_string(type)).c_str(), type, 0x103), 0);
  }
  ASSERT_EQ(::symlink("/", lab.outside("tree/root").c_str()), 0);
  ASSERT_EQ(::mkdir(lab.outside("tree/locked").c_str(), 0), 0);
  expect_gone(8);
}

TEST_P(TreeRemoval, WhatIsImmutableIsNamedAndTheRestGoes) {
  for (const char* dir : {"tree/a", "tree/b", "tree/b/c"}) {
    ASSERT_EQ(::mkdir(lab.outside(dir).c_str(), 0755), 0);
    for (int i = 0; i < 10; ++i) {
      write_file(lab.outside(dir + std::string("/file") + std::to_string(i)), "text");
    }
  }
  set_immutable("tree/b/c/file3", true);
  auto outcome = remove();
  EXPECT_FALSE(outcome.complete);
  ASSERT_EQ(outcome.trouble_count, 1U);
  EXPECT_EQ(outcome.troubles[0].path, "tree/b/c/file3");
  EXPECT_NE(outcome.troubles[0].reason.find("immutable"), std::string::npos);
  EXPECT_EQ(outcome.removed, 30U) << "29 files and the directory a";
  set_immutable("tree/b/c/file3", false);

  set_immutable("tree/b/c", true);
  outcome = remove();
  EXPECT_FALSE(outcome.complete);
  EXPECT_EQ(outcome.troubles.at(0).path, "tree/b/c/file3");
  EXPECT_NE(outcome.troubles[0].reason.find("immutable"), std::string::npos);
  set_immutable("tree/b/c", false);
  expect_gone(4);
}

TEST_P(TreeRemoval, ADeepImmutableFileDoesNotKeepItGoingForEver) {
  std::string path = "tree";
  for (int i = 0; i < 300; ++i) {
    path += "/d";
    ASSERT_EQ(::mkdir(lab.outside(path).c_str(), 0755), 0);
  }
  write_file(lab.outside(path + "/file"), "text");
  set_immutable(path + "/file", true);
  const auto outcome = remove();
  EXPECT_FALSE(outcome.complete);
  EXPECT_EQ(outcome.trouble_count, 1U);
  const auto left = std::filesystem::recursive_directory_iterator(lab.outside("tree"));
  for (const auto& entry : left) {
    if (entry.is_regular_file()) {
      const std::string found = entry.path();
      set_immutable(found.substr(lab.outside("").size()), false);
    }
  }
  EXPECT_TRUE(remove().complete);
}

TEST_P(TreeRemoval, MountsAreLeftAlone) {
  for (const char* dir : {"tree/mounted", "tree/bound", "elsewhere"}) {
    ASSERT_EQ(::mkdir(lab.outside(dir).c_str(), 0755), 0);
  }
  write_file(lab.outside("elsewhere/precious"), "text");
  write_file(lab.outside("tree/file"), "text");
  ASSERT_EQ(::mount("none", lab.outside("tree/mounted").c_str(), "tmpfs", 0, nullptr), 0);
  write_file(lab.outside("tree/mounted/precious"), "text");
  ASSERT_EQ(::mount(lab.outside("elsewhere").c_str(), lab.outside("tree/bound").c_str(), nullptr,
                    MS_BIND, nullptr),
            0);
  const auto outcome = remove();
  EXPECT_FALSE(outcome.complete);
  EXPECT_EQ(outcome.trouble_count, 2U);
  EXPECT_EQ(contents_of(lab.outside("elsewhere/precious")), "text");
  EXPECT_EQ(contents_of(lab.outside("tree/mounted/precious")), "text");
  EXPECT_FALSE(std::filesystem::exists(lab.outside("tree/file")));
  EXPECT_EQ(::umount2(lab.outside("tree/mounted").c_str(), 0), 0);
  EXPECT_EQ(::umount2(lab.outside("tree/bound").c_str(), 0), 0);
  EXPECT_TRUE(remove().complete);
  EXPECT_EQ(contents_of(lab.outside("elsewhere/precious")), "text");
}

TEST_P(TreeRemoval, AReadOnlyVolumeIsSaid) {
  write_file(lab.outside("tree/file"), "text");
  lab.volume().remount(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
  const auto outcome = remove();
  EXPECT_FALSE(outcome.complete);
  EXPECT_EQ(outcome.troubles.at(0).path, "tree/file");
  EXPECT_NE(outcome.troubles[0].reason.find("Read-only"), std::string::npos);
}

// An inc shares inodes with the others: they lose a name and nothing else.
TEST_P(TreeRemoval, AnIncGoesTheOthersStay) {
  write_file(lab.data("file"), "text");
  lab.let_stamps_age();
  lab.take("1");
  lab.take("2", "1");
  lab.take("3", "2");
  const auto before = describe_tree(lab.inc("3"));
  for (const char* name : {"1", "2"}) {
    const auto outcome = remove_tree(open_dir(lab.outside("incs")).get(), name);
    ASSERT_TRUE(outcome);
    EXPECT_TRUE(outcome->complete);
  }
  EXPECT_EQ(describe_tree(lab.inc("3")), before);
  EXPECT_EQ(links_of(lab.inc("3", "file")), 1U);
}

}  // namespace
}  // namespace evojail::test
