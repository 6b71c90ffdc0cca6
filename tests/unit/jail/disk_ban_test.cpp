#include "jail/disk_ban.hpp"

#include <gtest/gtest.h>

namespace evojail {
namespace {

using std::chrono::seconds;

constexpr DiskBan::Clock::time_point kStart{std::chrono::hours(1000)};

TEST(DiskBan, holds_for_its_time_and_twice_as_long_the_next_time) {
  DiskBan ban;
  EXPECT_FALSE(ban.holds(kStart));
  ban.begin(kStart);
  EXPECT_EQ(ban.until(), kStart + DiskBan::first);
  EXPECT_TRUE(ban.holds(kStart + DiskBan::first - seconds(1)));
  const auto again = kStart + DiskBan::first;
  EXPECT_FALSE(ban.holds(again));
  ban.begin(again);
  EXPECT_TRUE(ban.holds(again + 2 * DiskBan::first - seconds(1)));
  EXPECT_FALSE(ban.holds(again + 2 * DiskBan::first));
}

TEST(DiskBan, sessions_that_end_while_it_holds_make_it_no_longer) {
  DiskBan ban;
  ban.begin(kStart);
  for (int i = 0; i < 20; ++i) ban.begin(kStart + seconds(1));
  EXPECT_FALSE(ban.holds(kStart + DiskBan::first));
}

TEST(DiskBan, grows_to_its_longest_and_begins_small_where_there_was_room) {
  DiskBan ban;
  auto now = kStart;
  for (int i = 0; i < 20; ++i) {
    ban.begin(now);
    now += DiskBan::longest;
    EXPECT_FALSE(ban.holds(now));
  }
  ban.begin(now);
  EXPECT_TRUE(ban.holds(now + DiskBan::longest - seconds(1)));
  ban.lift();
  EXPECT_FALSE(ban.holds(now));
  ban.begin(now);
  EXPECT_FALSE(ban.holds(now + DiskBan::first));
}

}  // namespace
}  // namespace evojail
