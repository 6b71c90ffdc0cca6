// What a person sees of an operation that takes more than two seconds. strace(1) stands in for a
// slow disk, so that the operation takes long on any machine.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "root/cli/program.hpp"

namespace evojail::test {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class LongOperation : public Program {
 protected:
  LongOperation() : Program(FileSystem::ext4) {}

  void SetUp() override {
    must({"init", "web1"});
    for (int dir = 0; dir < kDirectories; ++dir) {
      const std::string path = fmt::format("{}/web1/data/dir-{}", host().jaildir, dir);
      ASSERT_EQ(::mkdir(path.c_str(), 0755), 0);
      for (int file = 0; file < 5; ++file) write(fmt::format("{}/{}", path, file), "contents\n");
    }
  }

  /// On one processor, so that the number of threads is the same everywhere.
  RunOptions slow(const std::string& call) const {
    return {
        .terminal = true,
        .wrapper = {"taskset", "-c", "0", "strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf",
                    "-e", "trace=" + call, "-e", "inject=" + call + ":delay_enter=40000"}};
  }

  static constexpr int kDirectories = 30;
};

TEST_F(LongOperation, ShowsWhatAFirstIncCostsHowFastItIsAndItsEnd) {
  const Ended shown = must({"inc", "--at", "2026-01-01-00"}, slow("fchownat"));
  EXPECT_THAT(shown.out,
              ContainsRegex("the first inc of jail 'web1' copies about .* in [0-9]+ names"));
  EXPECT_THAT(
      shown.out,
      ContainsRegex("taking incs: 0 of 1, [0-9]+ entries a second, about [0-9]+ s left, web1"));
  EXPECT_THAT(shown.out, HasSubstr("1 inc named 2026-01-01-00 taken in "));
  EXPECT_EQ(shown.code, 0);

  write(conf("web1", "incs_policy"), "none\n");
  const Ended removed = must({"rm"}, slow("unlinkat"));
  EXPECT_THAT(removed.out,
              ContainsRegex("removing incs: 0 of 1, .* a second, about [0-9]+ s left, web1"));
  EXPECT_THAT(removed.out, HasSubstr("1 inc removed, 1 jail looked at"));
}

TEST_F(LongOperation, SaysNothingWhenItIsToBeQuiet) {
  EXPECT_EQ(must({"inc", "--quiet", "--at", "2026-01-01-00"}, slow("fchownat")).out, "");
  write(conf("web1", "incs_policy"), "none\n");
  EXPECT_EQ(must({"rm", "--quiet"}, slow("unlinkat")).out, "");
}

TEST_F(LongOperation, ShowsNoProgressButOnATerminal) {
  RunOptions options = slow("fchownat");
  options.terminal = false;
  const Ended taken = must({"inc", "--at", "2026-01-01-00"}, options);
  EXPECT_THAT(taken.err, Not(HasSubstr("taking incs")));
  EXPECT_THAT(taken.err, Not(HasSubstr("\r")));
}

}  // namespace
}  // namespace evojail::test
