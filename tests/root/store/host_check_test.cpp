#include "store/host_check.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/file.hpp"
#include "support/store_world.hpp"

namespace evojail::test {
namespace {

using ::testing::HasSubstr;

class HostCheckTest : public ::testing::TestWithParam<FileSystem> {
 protected:
  StoreWorld world_{GetParam()};
  HostSettings& host_ = world_.host;

  /// The error that check_store() gives, which always comes with a cure.
  std::string refusal() {
    const auto checked = check_store(host_);
    if (checked) return "accepted";
    EXPECT_FALSE(checked.error().hint().empty()) << checked.error().message();
    return checked.error().message();
  }
};

INSTANTIATE_TEST_SUITE_P(All, HostCheckTest,
                         ::testing::Values(FileSystem::btrfs, FileSystem::ext4, FileSystem::xfs),
                         [](const auto& values) { return to_string(values.param); });

TEST_P(HostCheckTest, AcceptsWhatItMade) {
  EXPECT_TRUE(check_store(host_));
  EXPECT_TRUE(make_store(host_));
  const auto facts = inspect_store(host_);
  ASSERT_TRUE(facts);
  EXPECT_EQ(to_string(facts->type), to_string(GetParam()));
  EXPECT_TRUE(facts->nosuid && facts->nodev && facts->noexec);
  EXPECT_FALSE(facts->read_only);
  EXPECT_FALSE(facts->archives_apart);
  EXPECT_EQ(facts->reflink, GetParam() != FileSystem::ext4);
  EXPECT_GT(facts->size, 0U);
  EXPECT_LE(facts->available, facts->size);
}

TEST_P(HostCheckTest, RefusesModesAndOwnersThatLetOthersIn) {
  for (const auto* dir : {&host_.jaildir, &host_.incdir, &host_.archivesdir}) {
    for (const mode_t mode : {0755U, 0711U, 0770U, 01700U}) {
      ASSERT_EQ(::chmod(dir->c_str(), mode), 0);
      EXPECT_THAT(refusal(), HasSubstr(*dir));
    }
    ASSERT_EQ(::chmod(dir->c_str(), 0700), 0);
    ASSERT_EQ(::chown(dir->c_str(), 33, 0), 0);
    EXPECT_THAT(refusal(), HasSubstr("33"));
    ASSERT_EQ(::chown(dir->c_str(), 0, 0), 0);
    EXPECT_TRUE(check_store(host_));
  }
}

TEST_P(HostCheckTest, RefusesWhatIsMissingAndMakesIt) {
  std::filesystem::remove(host_.archivesdir);
  EXPECT_THAT(refusal(), HasSubstr(host_.archivesdir));
  ASSERT_TRUE(make_store(host_));
  struct stat st{};
  ASSERT_EQ(::stat(host_.archivesdir.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0700U);
}

TEST_P(HostCheckTest, RefusesOneWithinAnother) {
  HostSettings nested = host_;
  nested.incdir = nested.jaildir + "/incs";
  EXPECT_THAT(make_store(nested).error().message(), HasSubstr("within"));
  EXPECT_FALSE(path_exists(nested.incdir));
  nested.incdir = nested.jaildir;
  EXPECT_FALSE(make_store(nested));
  // A name that merely begins alike is another directory.
  nested.incdir = nested.jaildir + "2";
  EXPECT_TRUE(make_store(nested));
}

TEST_P(HostCheckTest, RefusesOneWithinAnotherByALink) {
  const std::string link = world_.directory / "link";
  for (const std::string& target : {host_.jaildir, host_.jaildir + "/below"}) {
    std::filesystem::create_directories(target);
    ASSERT_EQ(::chmod(target.c_str(), 0700), 0);
    std::filesystem::remove(link);
    std::filesystem::create_symlink(target, link);
    HostSettings linked = host_;
    linked.incdir = link;
    const auto refused = check_store(linked);
    ASSERT_FALSE(refused) << target;
    EXPECT_THAT(refused.error().message(), HasSubstr("within")) << target;
  }
  // One that leads elsewhere is welcome.
  std::filesystem::remove(link);
  std::filesystem::create_symlink(host_.incdir, link);
  HostSettings linked = host_;
  linked.incdir = link;
  EXPECT_TRUE(check_store(linked));
}

TEST_P(HostCheckTest, RefusesTwoVolumes) {
  const StoreWorld other(GetParam());
  host_.incdir = other.host.incdir;
  EXPECT_THAT(refusal(), HasSubstr("two volumes"));
}

TEST_P(HostCheckTest, RefusesLazytime) {
  world_.volume.remount(MS_LAZYTIME);
  EXPECT_THAT(refusal(), HasSubstr("lazytime"));
  world_.volume.remount(0);
  EXPECT_TRUE(check_store(host_));
}

TEST_P(HostCheckTest, TellsWhatTheMountLacks) {
  world_.volume.remount(MS_NOSUID);
  const auto facts = inspect_store(host_);
  ASSERT_TRUE(facts);
  EXPECT_TRUE(facts->nosuid);
  EXPECT_FALSE(facts->nodev);
  EXPECT_FALSE(facts->noexec);
  world_.volume.remount(MS_RDONLY | MS_NODEV);
  const auto read_only = inspect_store(host_);
  ASSERT_TRUE(read_only);
  EXPECT_TRUE(read_only->read_only);
  EXPECT_TRUE(read_only->nodev);
}

TEST_P(HostCheckTest, ReserveIsAShareOfTheVolume) {
  host_.disk_reserve_percent = 10;
  const auto space = free_space(host_);
  ASSERT_TRUE(space);
  const auto facts = inspect_store(host_);
  ASSERT_TRUE(facts);
  EXPECT_NEAR(static_cast<double>(space->reserve), static_cast<double>(facts->size) / 10, 100);
  EXPECT_GT(space->available, space->reserve);
}

TEST_P(HostCheckTest, WhatIsWrittenIsNotFreeBeforeItIsOnTheDiskEither) {
  const auto before = free_space(host_);
  ASSERT_TRUE(before);
  constexpr std::size_t written = 100 << 20;
  write_file(host_.jaildir + "/file", std::string(written, 'x'));
  const auto after = free_space(host_);
  ASSERT_TRUE(after);
  EXPECT_LE(after->available + written / 10 * 9, before->available);
}

TEST_P(HostCheckTest, LocksLieWhereNobodyElseWrites) {
  std::filesystem::create_directory(host_.rundir);
  ASSERT_EQ(::chmod(host_.rundir.c_str(), 0777), 0);
  const auto made = make_run_dirs(host_);
  ASSERT_FALSE(made);
  EXPECT_FALSE(made.error().hint().empty());
  ASSERT_EQ(::chmod(host_.rundir.c_str(), 0755), 0);
  ASSERT_TRUE(make_run_dirs(host_));
  struct stat st{};
  ASSERT_EQ(::stat((host_.rundir + "/.lock").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0700U);
}

TEST(HostCheck, RefusesOtherFileSystems) {
  StoreWorld world(FileSystem::ext4);
  const std::string path = world.directory / "tmpfs";
  std::filesystem::create_directory(path);
  ASSERT_EQ(::mount("tmpfs", path.c_str(), "tmpfs", 0, nullptr), 0);
  world.host.jaildir = path + "/jails";
  world.host.incdir = path + "/incs";
  world.host.archivesdir = path + "/archives";
  const auto made = make_store(world.host);
  EXPECT_EQ(::umount2(path.c_str(), MNT_DETACH), 0);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message(), HasSubstr("lies on tmpfs"));
  EXPECT_THAT(made.error().hint(), HasSubstr("btrfs"));
}

TEST(HostCheck, RefusesXfsWithoutReflink) {
  LoopVolume::Options options;
  options.mkfs_options = {"-m", "reflink=0"};
  try {
    const StoreWorld world(FileSystem::xfs, options);
    FAIL() << "accepted";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("reflink"));
  }
}

TEST(HostCheck, MakesNothingWhereItRefuses) {
  StoreWorld world(FileSystem::ext4);
  const std::string plain = world.directory / "plain";
  ASSERT_EQ(::mkdir(plain.c_str(), 0755), 0);
  ASSERT_EQ(::mount("plain", plain.c_str(), "tmpfs", 0, nullptr), 0);
  world.host.jaildir = plain + "/deep/jails";
  world.host.incdir = plain + "/deep/incs";
  const auto refused = make_store(world.host);
  EXPECT_FALSE(refused);
  EXPECT_TRUE(std::filesystem::is_empty(plain));
  EXPECT_EQ(::umount(plain.c_str()), 0);
}

TEST(HostCheck, TakesSubvolumesOfOneBtrfsForOneVolume) {
  StoreWorld world(FileSystem::btrfs);
  // A jail's directory is a subvolume, with a device number of its own.
  world.make_jail("web1");
  world.host.incdir = world.data("web1") + "/incs";
  world.host.jaildir = world.volume.path() + "/jails2";
  ASSERT_EQ(::mkdir(world.host.jaildir.c_str(), 0700), 0);
  EXPECT_TRUE(make_store(world.host));
}

}  // namespace
}  // namespace evojail::test
