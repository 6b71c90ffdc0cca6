#include "cli/hold_date.hpp"

#include <gtest/gtest.h>
#include <time.h>

namespace evojail {
namespace {

TEST(HoldDate, IsTheFirstSecondAfterItsDay) {
  const auto end = parse_hold_end("2099-12-31");
  ASSERT_TRUE(end && *end) << end.error().message();
  const time_t clock = **end;
  struct tm day{};
  ::localtime_r(&clock, &day);
  EXPECT_EQ(day.tm_year, 200);
  EXPECT_EQ(day.tm_mon, 0);
  EXPECT_EQ(day.tm_mday, 1);
  EXPECT_EQ(day.tm_hour + day.tm_min + day.tm_sec, 0);
}

TEST(HoldDate, MayBeLeftOut) {
  const auto end = parse_hold_end(std::nullopt);
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
}

TEST(HoldDate, IsADayToCome) {
  for (const char* text :
       {"2001-01-01", "", "tomorrow", "2099-13-01", "2099-02-30", "99999-01-01"}) {
    EXPECT_FALSE(parse_hold_end(text)) << text;
  }
}

TEST(HoldReason, IsOneLineAndThere) {
  EXPECT_EQ(parse_reason(" incident 4711 ").value_or(""), "incident 4711");
  EXPECT_FALSE(parse_reason(std::nullopt));
  EXPECT_FALSE(parse_reason("  "));
  EXPECT_FALSE(parse_reason("two\nlines"));
  EXPECT_FALSE(parse_reason("\x1b[31mred"));
}

}  // namespace
}  // namespace evojail
