// Volumes that are full, or turn read-only: the inc fails with the path and the cause, and what is
// there stays as it is.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tree_lab.hpp"

namespace evojail::test {
namespace {

LoopVolume::Options small_volume() {
  LoopVolume::Options options;
  options.size = std::uint64_t{320} << 20;
  return options;
}

class TreeFullVolume : public ::testing::TestWithParam<FileSystem> {
 protected:
  TreeFullVolume() : lab(GetParam(), small_volume()) {}
  TreeLab lab;

  /// Leaves about `bytes` free.
  void fill_up(std::uint64_t bytes) const {
    const Fd ballast(::open(lab.outside("ballast").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    off_t size = 0;
    for (off_t step = off_t{64} << 20; step >= 4096; step /= 2) {
      while (::fallocate(ballast.get(), 0, size, step) == 0) size += step;
    }
    ASSERT_EQ(::ftruncate(ballast.get(), size - static_cast<off_t>(bytes)), 0);
    ASSERT_EQ(::fsync(ballast.get()), 0);
  }
};
INSTANTIATE_TEST_SUITE_P(Volumes, TreeFullVolume,
                         ::testing::Values(FileSystem::ext4, FileSystem::xfs), file_system_name);

TEST_P(TreeFullVolume, NoSpaceEndsTheIncAndSaysWhere) {
  write_file(lab.data("first"), "text");
  lab.take("1");
  const auto before = describe_tree(lab.inc("1"));
  write_file(lab.data("large"), std::string(24 << 20, 'x'));
  fill_up(8 << 20);
  const auto outcome =
      lab.try_take("2", "1", [](TreeIncRequest& request) { request.reflink_required = false; });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), ENOSPC) << outcome.error().message();
  EXPECT_NE(outcome.error().message().find("data/large"), std::string::npos)
      << outcome.error().message();
  EXPECT_EQ(describe_tree(lab.inc("1")), before);
  EXPECT_EQ(::access(lab.outside("meta/2").c_str(), F_OK), -1) << "no manifest of half an inc";
}

TEST_P(TreeFullVolume, ReadOnly) {
  write_file(lab.data("file"), "text");
  lab.take("1");
  const auto before = describe_tree(lab.inc("1"));
  lab.volume().remount(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC);
  const auto outcome = lab.try_take("2", "1");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), EROFS) << outcome.error().message();
  EXPECT_EQ(describe_tree(lab.inc("1")), before);
}

// Too few descriptors end the inc: names that could not be opened are not the client's doing.
TEST_P(TreeFullVolume, NoDescriptorsEndTheInc) {
  write_file(lab.data("file"), "text");
  std::string path = lab.data();
  for (int i = 0; i < 5; ++i) {
    path += "/d";
    ASSERT_EQ(::mkdir(path.c_str(), 0755), 0);
  }
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const Fd next(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  // Room for the request's and the roots' descriptors, not for the walk's.
  rlimit few{.rlim_cur = static_cast<rlim_t>(next.get()) + 14, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto outcome = lab.try_take("1", "");
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), EMFILE) << outcome.error().message();
}

// xfs without reflinks: the engine asks for them and fails without.
TEST(TreeReflink, IsRequiredOnXfs) {
  LoopVolume::Options options;
  options.mkfs_options = {"-m", "reflink=0"};
  TreeLab lab(FileSystem::xfs, options);
  write_file(lab.data("file"), "text");
  const auto outcome = lab.try_take("1", "");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code(), EOPNOTSUPP);
  EXPECT_NE(outcome.error().hint().find("reflink"), std::string::npos);
}

TEST(TreeReflink, SharesTheBlocks) {
  TreeLab lab(FileSystem::xfs);
  write_file(lab.data("large"), std::string(32 << 20, 'x'));
  const auto free_blocks = [&lab] {
    const Fd root = open_dir(lab.outside(""));
    ::syncfs(root.get());
    return std::filesystem::space(lab.outside("")).free;
  };
  const auto before = free_blocks();
  lab.take("1");
  const auto after = free_blocks();
  EXPECT_LT(before - after, 4U << 20);
  lab.expect_faithful("1");
  lab.expect_disjoint();
}

}  // namespace
}  // namespace evojail::test
