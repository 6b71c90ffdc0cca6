#include "jail/log_limit.hpp"

#include <gtest/gtest.h>

namespace evojail {
namespace {

const LogLimit::Clock::time_point start{std::chrono::hours(1)};

TEST(LogLimit, lets_a_burst_through_and_counts_the_rest) {
  LogLimit limit(2, 3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limit.may_pass(start)) << i;
  EXPECT_FALSE(limit.may_pass(start));
  EXPECT_FALSE(limit.may_pass(start));
  EXPECT_EQ(limit.take_dropped(), 2U);
  EXPECT_EQ(limit.take_dropped(), 0U);
}

TEST(LogLimit, fills_up_again_but_never_beyond_the_burst) {
  LogLimit limit(2, 3);
  while (limit.may_pass(start)) {
  }
  const auto later = start + std::chrono::seconds(1);
  EXPECT_TRUE(limit.may_pass(later));
  EXPECT_TRUE(limit.may_pass(later));
  EXPECT_FALSE(limit.may_pass(later));
  const auto much_later = start + std::chrono::hours(1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(limit.may_pass(much_later)) << i;
  EXPECT_FALSE(limit.may_pass(much_later));
}

TEST(LogLimit, lets_no_more_through_in_an_hour_however_slowly_they_come) {
  LogLimit limit(2, 3, 100);
  std::uint64_t passed = 0;
  for (int second = 0; second < 3600; ++second) {
    passed += limit.may_pass(start + std::chrono::seconds(second)) ? 1U : 0U;
    EXPECT_EQ(limit.is_spent(), second >= 99) << second;
  }
  EXPECT_EQ(passed, 100U);
  EXPECT_TRUE(limit.may_pass(start + std::chrono::hours(1)));
  EXPECT_FALSE(limit.is_spent());
  EXPECT_EQ(limit.take_dropped(), 3500U);
}

}  // namespace
}  // namespace evojail
