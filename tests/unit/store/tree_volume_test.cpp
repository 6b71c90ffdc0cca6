#include "store/tree_volume.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "base/fd.hpp"

namespace evojail {
namespace {

constexpr std::string_view kMounts =
    "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n"
    "40 35 0:5 / /back\\040up rw,nodev shared:2 propagate_from:1 - ext4 /dev/vdb rw,lazytime\n";

TEST(MountOptions, BothThoseOfTheMountAndThoseOfTheFileSystem) {
  EXPECT_EQ(mount_options(kMounts, 36), ",rw,noatime,rw,errors=continue");
  EXPECT_EQ(mount_options(kMounts, 40), ",rw,nodev,rw,lazytime");
  EXPECT_EQ(mount_options(kMounts, 41), "");
  EXPECT_EQ(mount_options("", 36), "");
}

TEST(CheckTreeVolume, RefusesOtherFileSystems) {
  const Fd proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto checked = check_tree_volume(proc.get());
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().message().find("neither ext4 nor xfs"), std::string::npos);
}

}  // namespace
}  // namespace evojail
