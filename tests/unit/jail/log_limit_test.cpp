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

}  // namespace
}  // namespace evojail
