#include "jail/base_image.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>

#include "base/file.hpp"
#include "program.hpp"
#include "support/temp_directory.hpp"

namespace evojail {
namespace {

using test::Outcome;
using test::run_program;
using test::TempDirectory;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

/// What lies in DATADIR/images, hidden names included.
std::vector<std::string> images_in(const HostSettings& host) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(host.datadir + "/images")) {
    names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

Outcome run_in(const std::string& root, const std::vector<std::string>& arguments,
               const std::string& input = {}) {
  return run_program(arguments,
                     {.input = input,
                      // Every symbol is looked up at the start: a library that is too old shows.
                      .environment = {"LD_BIND_NOW=1", "LANG=C.UTF-8", "PATH=/usr/bin:/usr/sbin"},
                      .name = {},
                      .before_exec = [&] {
                        if (::chroot(root.c_str()) != 0 || ::chdir("/") != 0) ::_exit(125);
                      }});
}

class BaseImageTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { test::enter_private_mounts(); }

  BaseImageTest() {
    host_.datadir = directory_ / "data";
    host_.rundir = directory_ / "run";
  }

  TempDirectory directory_;
  HostSettings host_;
};

/// Puts another file in the place of an installed one, for this test's mount namespace only.
class ReplacedFile {
 public:
  ReplacedFile(const std::string& path, const TempDirectory& scratch) : path_(path) {
    const std::string copy = scratch / "replacement";
    std::filesystem::copy_file(path, copy, std::filesystem::copy_options::overwrite_existing);
    test::mount_or_throw(copy.c_str(), path, nullptr, MS_BIND);
  }
  ReplacedFile(const ReplacedFile&) = delete;
  ReplacedFile& operator=(const ReplacedFile&) = delete;
  ~ReplacedFile() { ::umount2(path_.c_str(), MNT_DETACH); }

 private:
  std::string path_;
};

TEST_F(BaseImageTest, IsBuiltOnceAndThenLeftAlone) {
  const auto before = base_image_state(host_);
  ASSERT_TRUE(before) << before.error().message();
  EXPECT_EQ(before->current, "");
  EXPECT_FALSE(before->stale());
  const auto image = ensure_base_image(host_);
  ASSERT_TRUE(image) << image.error().message();
  EXPECT_EQ(image->id, before->wanted);
  EXPECT_EQ(image->path, host_.datadir + "/images/" + image->id);
  EXPECT_THAT(images_in(host_), UnorderedElementsAre(image->id, "current"));
  struct stat first{};
  struct stat second{};
  ASSERT_EQ(::stat(image->path.c_str(), &first), 0);
  const auto report = update_base_image(host_);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_FALSE(report->built);
  EXPECT_GT(report->files, 100U);
  EXPECT_GT(report->bytes, 1U << 20U);
  ASSERT_EQ(::stat((host_.datadir + "/images/current").c_str(), &second), 0);
  EXPECT_EQ(first.st_ino, second.st_ino);
  EXPECT_FALSE(path_exists(host_.rundir + "/.lock/image"));
}

TEST_F(BaseImageTest, EveryProgramRuns) {
  const auto image = ensure_base_image(host_);
  ASSERT_TRUE(image) << image.error().message();
  unsigned programs = 0;
  for (const char* directory : {"/usr/bin", "/usr/sbin", "/usr/lib/openssh"}) {
    for (const auto& entry : std::filesystem::directory_iterator(image->path + directory)) {
      const std::string program = std::string(directory) + "/" + entry.path().filename().string();
      const auto outcome = run_in(image->path, {program, "--version"});
      EXPECT_TRUE(WIFEXITED(outcome.status)) << program << ": " << outcome.output;
      EXPECT_LT(WEXITSTATUS(outcome.status), 125) << program << ": " << outcome.output;
      EXPECT_THAT(outcome.output, Not(HasSubstr("error while loading"))) << program;
      EXPECT_THAT(outcome.output, Not(HasSubstr("symbol lookup error"))) << program;
      ++programs;
    }
  }
  EXPECT_GT(programs, 80U);
  // The control: with a library gone, the same test says so.
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(image->path + "/usr/lib")) {
    if (entry.path().filename() == "libselinux.so.1") std::filesystem::remove(entry.path());
  }
  EXPECT_TRUE(run_in(image->path, {"/usr/bin/ls", "--version"}).exited_with(127));
}

TEST_F(BaseImageTest, HasWhatASessionNeeds) {
  const auto image = ensure_base_image(host_);
  ASSERT_TRUE(image) << image.error().message();
  const auto shell = [&](const std::string& script) {
    return run_in(image->path, {"/bin/sh", "-c", script}).output;
  };
  EXPECT_EQ(shell("id -un; id -gn nobody; stat -c %U:%G /usr/bin"), "root\nnogroup\nroot:root\n");
  EXPECT_EQ(shell("printf 'h\\303\\251' | wc -m"), "2\n");
  EXPECT_EQ(shell("readlink /bin /sbin /lib /lib64 /usr/bin/sh"),
            "usr/bin\nusr/sbin\nusr/lib\nusr/lib64\ndash\n");
  EXPECT_EQ(shell("printf x | gzip -c | zcat"), "x");
  for (const char* point :
       {"/dev", "/proc", "/data", "/var", "/tmp", "/run", "/etc/ssh", "/root"}) {
    EXPECT_TRUE(std::filesystem::is_empty(image->path + point)) << point;
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(image->path)) {
    struct stat st{};
    ASSERT_EQ(::lstat(entry.path().c_str(), &st), 0);
    EXPECT_EQ(st.st_uid, 0U) << entry.path();
    EXPECT_EQ(st.st_gid, 0U) << entry.path();
    if (S_ISLNK(st.st_mode)) continue;
    EXPECT_EQ(st.st_mode & (07000U | S_IWGRP | S_IWOTH), 0U) << entry.path();
  }
}

TEST_F(BaseImageTest, AnUpgradeOnTheHostMakesItStale) {
  const auto image = ensure_base_image(host_);
  ASSERT_TRUE(image) << image.error().message();
  const ReplacedFile upgrade("/usr/bin/touch", directory_);
  const auto state = base_image_state(host_);
  ASSERT_TRUE(state) << state.error().message();
  EXPECT_TRUE(state->stale());
  EXPECT_EQ(state->current, image->id);
  EXPECT_THAT(state->changes.changed, ElementsAre("/usr/bin/touch"));
  // A start does not wait for a build.
  EXPECT_EQ(ensure_base_image(host_)->id, image->id);

  const auto report = update_base_image(host_);
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_TRUE(report->built);
  EXPECT_EQ(report->id, state->wanted);
  EXPECT_THAT(report->changes.changed, ElementsAre("/usr/bin/touch"));
  EXPECT_THAT(report->changes.added, IsEmpty());
  EXPECT_EQ(ensure_base_image(host_)->id, report->id);
  EXPECT_FALSE(base_image_state(host_)->stale());
}

TEST_F(BaseImageTest, AnImageInUseStays) {
  auto image = ensure_base_image(host_);
  ASSERT_TRUE(image) << image.error().message();
  const std::string old = image->id;
  const ReplacedFile upgrade("/usr/bin/touch", directory_);
  const auto report = update_base_image(host_);
  ASSERT_TRUE(report) << report.error().message();

  EXPECT_THAT(prune_base_images(host_).value(), IsEmpty());
  EXPECT_THAT(images_in(host_), Contains(old));
  image->hold.reset();
  const std::vector<std::string> named{old};
  EXPECT_THAT(prune_base_images(host_, named).value(), IsEmpty());
  EXPECT_THAT(prune_base_images(host_).value(), ElementsAre(old));
  EXPECT_THAT(images_in(host_), UnorderedElementsAre(report->id, "current"));
}

TEST_F(BaseImageTest, AnImageOfSomebodyElseIsRefused) {
  const auto image = ensure_base_image(host_);
  ASSERT_TRUE(image) << image.error().message();
  ASSERT_EQ(::chmod(image->path.c_str(), 0777), 0);
  const auto open_to_all = ensure_base_image(host_);
  ASSERT_FALSE(open_to_all);
  EXPECT_THAT(open_to_all.error().message(), HasSubstr(image->path));
  ASSERT_EQ(::chmod(image->path.c_str(), 0755), 0);
  ASSERT_EQ(::chown(image->path.c_str(), 65534, 65534), 0);
  EXPECT_FALSE(ensure_base_image(host_));
}

TEST_F(BaseImageTest, AKilledBuildLeavesNothingThatCounts) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // SIGXFSZ kills it in the middle of the first library that is larger.
    const rlimit no_core{0, 0};
    const rlimit half_a_megabyte{512 << 10, 512 << 10};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::setrlimit(RLIMIT_FSIZE, &half_a_megabyte);
    ::signal(SIGXFSZ, SIG_DFL);
    [[maybe_unused]] const auto report = update_base_image(host_);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ) << status;
  EXPECT_THAT(images_in(host_), UnorderedElementsAre(".building"));

  const auto image = ensure_base_image(host_);
  ASSERT_TRUE(image) << image.error().message();
  EXPECT_THAT(images_in(host_), UnorderedElementsAre(image->id, "current"));
}

TEST_F(BaseImageTest, AFullDiskIsSaidAndLeavesNothing) {
  ASSERT_TRUE(make_directories(host_.datadir, 0755));
  test::mount_or_throw("tmpfs", host_.datadir, "tmpfs", 0, "size=4m");
  const auto image = ensure_base_image(host_);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().code(), ENOSPC);
  EXPECT_THAT(image.error().message(), HasSubstr(host_.datadir + "/images"));
  EXPECT_THAT(images_in(host_), IsEmpty());
  ::umount2(host_.datadir.c_str(), MNT_DETACH);
}

TEST_F(BaseImageTest, ManyStartsAtOnceBuildOneImage) {
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(ensure_base_image(host_) ? 0 : 1);
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(images_in(host_).size(), 2U);
}

}  // namespace
}  // namespace evojail
