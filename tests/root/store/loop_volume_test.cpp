#include "support/loop_volume.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fstream>

#include "base/file.hpp"

namespace evojail::test {
namespace {

class LoopVolumeTest : public ::testing::TestWithParam<FileSystem> {};

INSTANTIATE_TEST_SUITE_P(All, LoopVolumeTest,
                         ::testing::Values(FileSystem::btrfs, FileSystem::ext4, FileSystem::xfs),
                         [](const auto& values) { return to_string(values.param); });

TEST_P(LoopVolumeTest, IsMountedWithoutDevicesSetuidAndPrograms) {
  const LoopVolume volume(GetParam());
  struct statvfs facts{};
  ASSERT_EQ(::statvfs(volume.path().c_str(), &facts), 0);
  const unsigned long wanted = ST_NOSUID | ST_NODEV | ST_NOEXEC;
  EXPECT_EQ(facts.f_flag & wanted, wanted);
  struct stat root{};
  ASSERT_EQ(::stat(volume.path().c_str(), &root), 0);
  EXPECT_EQ(root.st_mode & 07777, 0700U);
}

TEST_P(LoopVolumeTest, LeavesNothingBehind) {
  std::string path;
  std::string device;
  {
    const LoopVolume volume(GetParam());
    path = volume.path();
    device = volume.device();
    const auto mounts = read_file("/proc/self/mounts");
    ASSERT_TRUE(mounts.has_value());
    EXPECT_NE(mounts->find(path), std::string::npos);
  }
  EXPECT_FALSE(path_exists(path));
  const auto mounts = read_file("/proc/self/mounts");
  ASSERT_TRUE(mounts.has_value());
  EXPECT_EQ(mounts->find(path), std::string::npos);
}

TEST_P(LoopVolumeTest, GoesReadOnlyAndBack) {
  LoopVolume volume(GetParam());
  volume.remount(MS_RDONLY);
  EXPECT_FALSE(replace_file(volume.path() + "/f", "x", 0600).has_value());
  volume.remount(0);
  EXPECT_TRUE(replace_file(volume.path() + "/f", "x", 0600).has_value());
}

TEST_P(LoopVolumeTest, PowerCutKeepsWhatWasSynced) {
  if (GetParam() == FileSystem::btrfs) return;  // has no SHUTDOWN ioctl
  LoopVolume volume(GetParam());
  ASSERT_TRUE(replace_file(volume.path() + "/kept", "x", 0600).has_value());
  std::ofstream(volume.path() + "/lost") << "x";
  volume.power_cut();
  EXPECT_TRUE(path_exists(volume.path() + "/kept"));
  EXPECT_FALSE(path_exists(volume.path() + "/lost"));
}

TEST(LoopVolumeBtrfs, CountsCommits) {
  const LoopVolume volume(FileSystem::btrfs);
  const auto before = volume.commits();
  std::ofstream(volume.path() + "/f") << "x";
  const Fd root = std::move(open_directory(volume.path())).value();
  ASSERT_EQ(::syncfs(root.get()), 0);
  EXPECT_GT(volume.commits(), before);
}

}  // namespace
}  // namespace evojail::test
