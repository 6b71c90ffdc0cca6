#include "cli/bulk.hpp"

#include <gtest/gtest.h>

#include "cli/exit_code.hpp"

namespace evojail {
namespace {

/// What was printed on stderr, with the exit code in front.
std::string finish(const Failures& failures, std::size_t tried) {
  testing::internal::CaptureStderr();
  const int code = failures.finish(tried);
  return std::to_string(code) + "\n" + testing::internal::GetCapturedStderr();
}

TEST(Failures, NoneIsDoneAndSilent) { EXPECT_EQ(finish(Failures(), 3), "0\n"); }

TEST(Failures, OfOneJailAreTheErrorAndItsKind) {
  Failures failures;
  failures.add("web1", Error("no such jail: 'web1'", ErrorKind::no_such_jail).hint("evojail list"));
  EXPECT_EQ(finish(failures, 1), "2\nevojail: no such jail: 'web1'\nhint: evojail list\n");
}

TEST(Failures, OfManyAreListedAtTheEnd) {
  Failures failures;
  failures.add("web1", Error("starting jail 'web1': no"));
  failures.add("db1", Error("no", ErrorKind::layout_version));
  EXPECT_EQ(finish(failures, 5),
            "1\n"
            "evojail: 2 of 5 jails failed:\n"
            "evojail: starting jail 'web1': no\n"
            "evojail: db1: no\n");
}

TEST(ForEachJail, TriesAll) {
  std::vector<std::string> tried;
  testing::internal::CaptureStderr();
  const int code = for_each_jail({"a", "b", "c"}, [&](const std::string& name) -> Result<void> {
    tried.push_back(name);
    if (name != "b") return fail("no");
    return {};
  });
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(code, exit_code::failed);
  EXPECT_EQ(tried, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(ExitCode, FollowsTheKind) {
  EXPECT_EQ(exit_code_of(Error("x")), 1);
  EXPECT_EQ(exit_code_of(Error("x", ErrorKind::no_such_jail)), 2);
  EXPECT_EQ(exit_code_of(Error("x", ErrorKind::layout_version)), 3);
  EXPECT_EQ(exit_code::off, 100);
  EXPECT_EQ(exit_code::refused, 101);
}

}  // namespace
}  // namespace evojail
