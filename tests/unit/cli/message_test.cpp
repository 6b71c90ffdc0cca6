#include "cli/message.hpp"

#include <gtest/gtest.h>

namespace evojail {
namespace {

TEST(Message, IsOneLineAndAHint) {
  EXPECT_EQ(format_error(Error("making jail 'web1': no")), "evojail: making jail 'web1': no\n");
  EXPECT_EQ(format_error(Error("no").hint("try again")), "evojail: no\nhint: try again\n");
}

TEST(Message, GoesToStderr) {
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  print_warning("late");
  print_note("so");
  print_error(Error("no"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "evojail: warning: late\nevojail: so\nevojail: no\n");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
}

}  // namespace
}  // namespace evojail
