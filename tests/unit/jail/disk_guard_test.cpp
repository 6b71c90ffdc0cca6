#include "jail/disk_guard.hpp"

#include <gtest/gtest.h>

namespace evojail {
namespace {

using Ids = std::set<std::uint32_t>;
constexpr auto quiet = DiskGuard::quiet_bytes;

TEST(DiskGuard, leaves_everybody_alone_while_there_is_room) {
  DiskGuard guard;
  EXPECT_EQ(guard.look(false, {{1, 1ULL << 40}}), Ids{});
  EXPECT_FALSE(guard.low());
}

TEST(DiskGuard, ends_those_that_write_and_no_other) {
  DiskGuard guard;
  EXPECT_EQ(guard.look(false, {{1, 1ULL << 30}, {2, 1ULL << 30}}), Ids{});
  EXPECT_EQ(guard.look(true, {{1, (1ULL << 30) + quiet + 1}, {2, (1ULL << 30) + quiet}}), Ids{1});
  EXPECT_TRUE(guard.low());
}

TEST(DiskGuard, a_new_session_counts_from_its_first_byte) {
  DiskGuard guard;
  EXPECT_EQ(guard.look(true, {{7, quiet + 1}}), Ids{7});
}

TEST(DiskGuard, forgets_sessions_that_ended) {
  DiskGuard guard;
  EXPECT_EQ(guard.look(false, {{1, 1ULL << 30}}), Ids{});
  EXPECT_EQ(guard.look(false, {}), Ids{});
  EXPECT_EQ(guard.look(true, {{1, quiet + 1}}), Ids{1});
}

}  // namespace
}  // namespace evojail
