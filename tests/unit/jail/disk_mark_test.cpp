#include "jail/disk_mark.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/temp_directory.hpp"

namespace evojail {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;
constexpr auto kHolds = DiskMark::holds;

struct DiskMarkTest : testing::Test {
  test::TempDirectory dir;
  DiskMark mark{dir / "mark"};
};

TEST_F(DiskMarkTest, explains_nothing_until_it_is_set) { EXPECT_FALSE(mark.explains(kNow)); }

TEST_F(DiskMarkTest, explains_for_a_while_and_to_everybody) {
  mark.set(kNow);
  const DiskMark same(dir / "mark");
  EXPECT_TRUE(same.explains(kNow));
  EXPECT_TRUE(same.explains(kNow + kHolds));
  EXPECT_FALSE(same.explains(kNow + kHolds + 1));
}

TEST_F(DiskMarkTest, sessions_that_are_ended_one_after_the_other_hide_nobody) {
  std::int64_t unexplained = 0;
  std::int64_t longest = 0;
  for (std::int64_t now = kNow; now < kNow + (10 * kHolds); ++now) {
    mark.set(now);
    unexplained = mark.explains(now) ? 0 : unexplained + 1;
    longest = std::max(longest, unexplained);
  }
  EXPECT_GE(longest, kHolds) << "seconds in which an unseen writer shows";
}

TEST_F(DiskMarkTest, explains_again_after_a_pause) {
  mark.set(kNow);
  const auto later = kNow + (2 * kHolds) + 1;
  mark.set(later);
  EXPECT_TRUE(mark.explains(later + kHolds));
}

TEST_F(DiskMarkTest, outlasts_no_clock_that_is_set_back) {
  mark.set(kNow);
  EXPECT_FALSE(mark.explains(kNow - 1));
  mark.set(kNow - 3600);
  EXPECT_TRUE(mark.explains(kNow - 3600));
}

}  // namespace
}  // namespace evojail
