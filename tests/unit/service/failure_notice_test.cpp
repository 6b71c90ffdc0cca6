#include "service/failure_notice.hpp"

#include <gtest/gtest.h>

namespace evojail {
namespace {

TEST(FailureNotice, CarriesMessageAndHint) {
  const auto notice =
      parse_notice(format_failure_notice(Error("mounting '/x': no").hint("mount it by hand")));
  EXPECT_FALSE(notice.ready);
  ASSERT_TRUE(notice.failure);
  EXPECT_EQ(notice.failure->message(), "mounting '/x': no");
  EXPECT_EQ(notice.failure->hint(), "mount it by hand");
}

TEST(FailureNotice, NeedsNoHint) {
  const auto notice = parse_notice(format_failure_notice(Error("no")));
  ASSERT_TRUE(notice.failure);
  EXPECT_EQ(notice.failure->hint(), "");
}

// A line end in a message must not start a variable of its own.
TEST(FailureNotice, StaysOneLineAVariable) {
  const auto notice = parse_notice(format_failure_notice(Error("one\nREADY=1")));
  EXPECT_FALSE(notice.ready);
  ASSERT_TRUE(notice.failure);
  EXPECT_EQ(notice.failure->message(), "one READY=1");
}

TEST(FailureNotice, ReadinessIsTheWholeVariable) {
  EXPECT_TRUE(parse_notice("STATUS=listening\nREADY=1\nMAINPID=7").ready);
  EXPECT_FALSE(parse_notice("READY=10").ready);
  EXPECT_FALSE(parse_notice("NOTREADY=1").ready);
  EXPECT_FALSE(parse_notice("").failure);
}

TEST(FailureNotice, IsFoundInAUnitsStatus) {
  const std::string text = format_failure_notice(Error("port 2222 is taken"));
  const std::string status = text.substr(7, text.find('\n') - 7);  // behind STATUS=
  const auto error = failure_in_status(status);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message(), "port 2222 is taken");
  EXPECT_FALSE(failure_in_status("listening on port 2222"));
}

}  // namespace
}  // namespace evojail
