#include "jail/token_bucket.hpp"

#include <gtest/gtest.h>

namespace evojail {
namespace {

using namespace std::chrono_literals;
constexpr TokenBucket::Clock::time_point start{std::chrono::hours(1)};

TEST(TokenBucket, gives_a_burst_and_then_its_rate) {
  TokenBucket bucket(3, 2);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(start)) << i;
  EXPECT_FALSE(bucket.take(start));
  EXPECT_FALSE(bucket.take(start + 499ms));
  EXPECT_TRUE(bucket.take(start + 501ms));
  EXPECT_FALSE(bucket.take(start + 502ms));
}

TEST(TokenBucket, never_holds_more_than_its_burst) {
  TokenBucket bucket(3, 2);
  for (const auto now : {start, start + 24h}) {
    int taken = 0;
    while (bucket.take(now)) ++taken;
    EXPECT_EQ(taken, 3);
  }
}

TEST(TokenBucket, tells_when_the_next_is_there) {
  TokenBucket bucket(1, 4);
  EXPECT_EQ(bucket.next(start), start);
  EXPECT_TRUE(bucket.take(start));
  const auto next = bucket.next(start);
  EXPECT_GE(next, start + 250ms);
  EXPECT_LT(next, start + 251ms);
  EXPECT_TRUE(bucket.take(next));
}

TEST(TokenBucket, keeps_what_is_left_where_the_time_stands_still_or_is_asked_often) {
  TokenBucket bucket(1, 10);
  EXPECT_TRUE(bucket.take(start));
  int taken = 0;
  for (auto now = start; now <= start + 1s; now += 1ms) taken += bucket.take(now) ? 1 : 0;
  EXPECT_GE(taken, 9);
  EXPECT_LE(taken, 10);
}

}  // namespace
}  // namespace evojail
