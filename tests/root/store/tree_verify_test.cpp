// verify finds what was done to an inc after it was taken.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tree_lab.hpp"

namespace evojail::test {
namespace {

class TreeVerify : public TreeTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(::mkdir(lab.data("dir").c_str(), 0755), 0);
    write_file(lab.data("dir/file"), std::string(10'000, 'x'));
    write_file(lab.data("one"), "text");
    ASSERT_EQ(::link(lab.data("one").c_str(), lab.data("two").c_str()), 0);
    ASSERT_EQ(::symlink("to", lab.data("link").c_str()), 0);
    // xfs shares contents without reading them; copied ones have digests.
    lab.take("1", "", [](TreeIncRequest& request) { request.reflink_required = false; });
  }
  /// What verify says after something was done: exactly one thing.
  void expect_trouble(const std::string& path, const std::string& words, bool contents = false) {
    const auto outcome = lab.verify("1", contents);
    ASSERT_TRUE(outcome) << outcome.error().message();
    ASSERT_EQ(outcome->trouble_count, 1U);
    EXPECT_EQ(outcome->troubles[0].path, path);
    EXPECT_NE(outcome->troubles[0].reason.find(words), std::string::npos)
        << outcome->troubles[0].reason;
  }
  void touch_up(const std::string& path, const struct stat& as) const {
    set_mtime(lab.inc("1", path), as.st_mtim.tv_sec, as.st_mtim.tv_nsec);
  }
  [[nodiscard]] struct stat look(const std::string& path) const {
    struct stat st{};
    EXPECT_EQ(::lstat(lab.inc("1", path).c_str(), &st), 0);
    return st;
  }
};
INSTANTIATE_TEST_SUITE_P(Volumes, TreeVerify, ::testing::Values(FileSystem::ext4, FileSystem::xfs),
                         file_system_name);

TEST_P(TreeVerify, AsItWasTaken) {
  const auto outcome = lab.verify("1");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->trouble_count, 0U);
  EXPECT_EQ(outcome->names, 7U);  // data, var, dir, its file, one, two, link
  EXPECT_EQ(outcome->digests, 3U);
  EXPECT_EQ(outcome->without_digest, 0U);
}

TEST_P(TreeVerify, LinksOfLaterIncsChangeNothing) {
  lab.let_stamps_age();
  lab.take("2", "1");
  const auto outcome = lab.verify("1");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->trouble_count, 0U);
}

// The time put back: only the contents tell, and only a look at them.
TEST_P(TreeVerify, ChangedContents) {
  const auto before = look("dir/file");
  {
    const Fd file(::open(lab.inc("1", "dir/file").c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::pwrite(file.get(), "y", 1, 9'999), 1);
  }
  touch_up("dir/file", before);
  const auto quick = lab.verify("1", false);
  ASSERT_TRUE(quick);
  EXPECT_EQ(quick->trouble_count, 0U);
  EXPECT_EQ(quick->digests, 0U);
  expect_trouble("data/dir/file", "contents", true);
}

TEST_P(TreeVerify, ChangedMetadata) {
  auto before = look("dir/file");
  ASSERT_EQ(::truncate(lab.inc("1", "dir/file").c_str(), 9'000), 0);
  touch_up("dir/file", before);
  expect_trouble("data/dir/file", "size is 9000, it was taken with 10000");
  ASSERT_EQ(::truncate(lab.inc("1", "dir/file").c_str(), 10'000), 0);
  expect_trouble("data/dir/file", "time");
  touch_up("dir/file", before);
  ASSERT_EQ(::chmod(lab.inc("1", "dir/file").c_str(), 0600), 0);
  expect_trouble("data/dir/file", "mode is 100600, it was taken with 100644");
  ASSERT_EQ(::chmod(lab.inc("1", "dir/file").c_str(), 0644), 0);
  ASSERT_EQ(::lchown(lab.inc("1", "link").c_str(), 5, 0), 0);
  expect_trouble("data/link", "owner is 5, it was taken with 0");
  ASSERT_EQ(::lchown(lab.inc("1", "link").c_str(), 0, 6), 0);
  expect_trouble("data/link", "group");
  ASSERT_EQ(::lchown(lab.inc("1", "link").c_str(), 0, 0), 0);
  ASSERT_EQ(::chmod(lab.inc("1", "dir").c_str(), 0700), 0);
  expect_trouble("data/dir", "mode");
}

TEST_P(TreeVerify, MissingNames) {
  const auto dir = look("dir");
  const auto data = look("");
  const std::string inode = std::to_string(inode_of(lab.inc("1", "dir/file")));
  ASSERT_EQ(::unlink(lab.inc("1", "dir/file").c_str()), 0);
  touch_up("dir", dir);
  expect_trouble(".", "the file of inode " + inode + " is missing");
  std::filesystem::remove(lab.inc("1", "two"));
  touch_up("", data);
  const auto outcome = lab.verify("1");
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->trouble_count, 2U) << "one of two names as well";
}

TEST_P(TreeVerify, AddedNames) {
  const auto dir = look("dir");
  write_file(lab.inc("1", "dir/new"), "text");
  touch_up("dir", dir);
  expect_trouble("data/dir/new", "not there when the inc was taken");
}

TEST_P(TreeVerify, AnothersManifestIsAnError) {
  lab.take("2");
  const Fd inc = open_dir(lab.outside("incs/1"));
  const Fd manifest(::open(lab.outside("meta/2").c_str(), O_RDONLY | O_CLOEXEC));
  const auto outcome = verify_tree_inc(inc.get(), manifest.get());
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().message().find("another one"), std::string::npos);
}

TEST(TreeVerifyLinks, MoreNamesThanExt4Allows) {
  TreeLab xfs(FileSystem::xfs);
  write_file(xfs.data("0"), "one inode");
  const Fd dir = open_dir(xfs.data());
  for (int i = 1; i < 66'000; ++i) {
    ASSERT_EQ(::linkat(dir.get(), "0", dir.get(), std::to_string(i).c_str(), 0), 0) << i;
  }
  xfs.take("1");
  const auto outcome = xfs.verify("1");
  ASSERT_TRUE(outcome) << outcome.error().message();
  EXPECT_EQ(outcome->trouble_count, 0U);
}

TEST_P(TreeVerify, OnAReadOnlyVolumeToo) {
  lab.volume().remount(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
  const auto outcome = lab.verify("1");
  ASSERT_TRUE(outcome) << outcome.error().message();
  EXPECT_EQ(outcome->trouble_count, 0U);
}

}  // namespace
}  // namespace evojail::test
