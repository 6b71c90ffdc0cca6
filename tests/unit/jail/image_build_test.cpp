#include "jail/image_build.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "base/file.hpp"
#include "fake_host.hpp"
#include "jail/image_record.hpp"

namespace evojail {
namespace {

using test::FakeHost;
using test::programs;
using test::TempDirectory;

struct stat look(const std::string& path) {
  struct stat st{};
  EXPECT_EQ(::lstat(path.c_str(), &st), 0) << path;
  return st;
}

TEST(ImageBuild, CopiesAreTheSameBytesInFilesOfTheirOwn) {
  const FakeHost host;
  const TempDirectory images;
  std::filesystem::permissions(host.real("/usr/bin/cat"), std::filesystem::perms(06755));
  const auto plan = host.plan(programs({"cat"})).value();
  const auto umask_before = ::umask(0077);
  const auto built = build_image(plan, images.path());
  ::umask(umask_before);
  ASSERT_TRUE(built) << built.error().message();
  const std::string image = images / plan.id;
  EXPECT_EQ(read_file(image + "/usr/bin/cat").value(),
            read_file(host.real("/usr/bin/cat")).value());
  EXPECT_EQ(read_file(image + image_record_path).value(), plan.record);
  // No setuid bit, no link into the host, modes that the umask has no say in.
  EXPECT_EQ(look(image + "/usr/bin/cat").st_mode & 07777U, 0755U);
  EXPECT_NE(look(image + "/usr/bin/cat").st_ino, look(host.real("/usr/bin/cat")).st_ino);
  EXPECT_EQ(look(image + "/usr/bin/cat").st_nlink, 1U);
  EXPECT_EQ(look(image).st_mode & 07777U, 0755U);
  EXPECT_EQ(look(image + "/usr/bin").st_mode & 07777U, 0755U);
  EXPECT_EQ(look(image + image_record_path).st_mode & 07777U, 0600U);
}

TEST(ImageBuild, ASourceThatChangedIsNotTaken) {
  const FakeHost host;
  const TempDirectory images;
  const auto plan = host.plan(programs({"cat"})).value();
  for (const bool gone : {false, true}) {
    if (gone) {
      host.remove("/usr/bin/cat");
    } else {
      host.write("/usr/bin/cat", "another", 0755);
    }
    const auto built = build_image(plan, images.path());
    ASSERT_FALSE(built);
    EXPECT_EQ(built.error().code(), ESTALE);
    EXPECT_TRUE(std::filesystem::is_empty(images.path()));
  }
}

TEST(ImageBuild, TakesAwayWhatAKilledBuildLeft) {
  const FakeHost host;
  const TempDirectory images;
  for (const char* name : {"/.building", "/.removing"}) {
    std::filesystem::create_directories(images.path() + name + "/usr/bin");
  }
  ASSERT_TRUE(clear_unfinished_images(images.path()));
  EXPECT_TRUE(std::filesystem::is_empty(images.path()));
  std::filesystem::create_directories(images / ".building/usr/bin");
  const auto plan = host.plan(programs({"cat"})).value();
  ASSERT_TRUE(build_image(plan, images.path()));
  EXPECT_FALSE(path_exists(images / ".building"));
}

TEST(ImageBuild, NeverReplacesAnImage) {
  const FakeHost host;
  const TempDirectory images;
  const auto plan = host.plan(programs({"cat"})).value();
  ASSERT_TRUE(build_image(plan, images.path()));
  const auto inode = look(images / plan.id).st_ino;
  const auto again = build_image(plan, images.path());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), EEXIST);
  EXPECT_EQ(look(images / plan.id).st_ino, inode);
  EXPECT_FALSE(path_exists(images / ".building"));
}

TEST(ImageBuild, DeletesAnImage) {
  const FakeHost host;
  const TempDirectory images;
  const auto plan = host.plan(programs({"cat"})).value();
  ASSERT_TRUE(build_image(plan, images.path()));
  ASSERT_TRUE(delete_image(images.path(), plan.id));
  EXPECT_TRUE(std::filesystem::is_empty(images.path()));
}

}  // namespace
}  // namespace evojail
