#include "jail/disk_guard.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace evojail {
namespace {

using Ids = std::set<std::uint32_t>;
constexpr auto kReceived = DiskGuard::quiet_received;
constexpr auto kWritten = DiskGuard::quiet_written;
constexpr std::uint64_t kReserve = 1ULL << 30;
constexpr std::uint64_t kMuch = 1ULL << 40;

/// Room for so much more than the reserve.
DiskLook room_for(std::uint64_t more) {
  return {.available = kReserve + more, .reserve = kReserve};
}
DiskLook roomy() { return {.available = kReserve, .reserve = kReserve}; }
/// Low, by `more` bytes more.
DiskLook low(std::uint64_t more = 1) { return {.available = kReserve - more, .reserve = kReserve}; }

TEST(DiskGuard, leaves_everybody_alone_while_there_is_room) {
  DiskGuard guard;
  EXPECT_EQ(guard.look(roomy(), {{1, {kMuch, kMuch}}}), Ids{});
}

TEST(DiskGuard, looks_the_oftener_the_less_room_there_is) {
  using std::chrono::milliseconds;
  DiskGuard guard;
  EXPECT_EQ(guard.pause(), milliseconds(2000)) << "nothing is known yet";
  guard.look(room_for(kMuch), {});
  EXPECT_EQ(guard.pause(), milliseconds(2000));
  guard.look(room_for(1ULL << 30), {});
  EXPECT_EQ(guard.pause(), milliseconds(500)) << "two GiB a second";
  guard.look(roomy(), {});
  EXPECT_EQ(guard.pause(), milliseconds(20));
  guard.look(roomy(), {});
  EXPECT_EQ(guard.pause(), milliseconds(100)) << "nobody writes";
  guard.look(low(), {});
  EXPECT_EQ(guard.pause(), milliseconds(20)) << "who writes shows at the second look";
  guard.look(low(), {});
  EXPECT_EQ(guard.pause(), milliseconds(500));
  guard.look(room_for(kMuch), {});
  guard.look(low(), {});
  EXPECT_EQ(guard.pause(), milliseconds(20));
}

TEST(DiskGuard, ends_those_that_receive_and_no_other) {
  DiskGuard guard;
  EXPECT_EQ(guard.look(roomy(), {{1, {kMuch, 0}}, {2, {kMuch, 0}}}), Ids{});
  EXPECT_EQ(guard.look(low(), {{1, {kMuch + kReceived + 1, 0}}, {2, {kMuch + kReceived, 0}}}),
            Ids{1});
}

TEST(DiskGuard, ends_those_that_write_without_receiving) {
  DiskGuard guard;
  EXPECT_EQ(guard.look(roomy(), {{1, {}}, {2, {}}}), Ids{});
  // What they wrote before the volume was low is known only now.
  EXPECT_EQ(guard.look(low(1), {{1, {0, kMuch}}, {2, {0, kMuch}}}), Ids{});
  EXPECT_EQ(guard.look(low(2), {{1, {0, kMuch + kWritten + 1}}, {2, {0, kMuch + kWritten}}}),
            Ids{1});
}

TEST(DiskGuard, a_slow_writer_is_found_by_what_it_writes_in_all_while_the_volume_falls) {
  DiskGuard guard;
  EXPECT_EQ(guard.look(roomy(), {{1, {}}}), Ids{});
  EXPECT_EQ(guard.look(low(1), {{1, {}}}), Ids{});
  EXPECT_EQ(guard.look(low(2), {{1, {0, kWritten / 2}}}), Ids{});
  EXPECT_EQ(guard.look(low(3), {{1, {0, kWritten}}}), Ids{});
  EXPECT_EQ(guard.look(low(4), {{1, {0, kWritten + 1}}}), Ids{1});
}

TEST(DiskGuard, who_removes_files_may_write_a_little_as_often_as_the_volume_rises) {
  DiskGuard guard;
  EXPECT_EQ(guard.look(roomy(), {{1, {}}}), Ids{});
  for (std::uint64_t i = 0; i < 10; ++i) {
    EXPECT_EQ(guard.look(low(1000 - i), {{1, {0, i * kWritten}}}), Ids{}) << i;
  }
}

TEST(DiskGuard, a_new_session_counts_from_its_first_byte) {
  DiskGuard guard;
  EXPECT_EQ(guard.look(low(), {{7, {kReceived + 1, 0}}}), Ids{7});
  EXPECT_EQ(guard.look(low(), {{8, {0, kWritten + 1}}}), Ids{8});
}

TEST(DiskGuard, forgets_sessions_that_ended) {
  DiskGuard guard;
  EXPECT_EQ(guard.look(roomy(), {{1, {kMuch, 0}}}), Ids{});
  EXPECT_EQ(guard.look(roomy(), {}), Ids{});
  EXPECT_EQ(guard.look(low(), {{1, {kReceived + 1, 0}}}), Ids{1});
}

TEST(DiskGuard, a_sum_that_falls_is_no_writing) {
  DiskGuard guard;
  EXPECT_EQ(guard.look(low(1), {{1, {0, 500}}}), Ids{});
  EXPECT_EQ(guard.look(low(2), {{1, {0, 400}}}), Ids{});
}

/// Looks `times` at a volume that falls each time, with session 1 doing nothing that shows in a
/// count.
struct Fall {
  DiskGuard guard;
  std::uint64_t down = 0;
  JailStir stir{.processes = 77, .activity = 1000};

  Ids look(unsigned times, const std::function<void(JailStir&)>& stirs, bool explained = false) {
    Ids ended;
    for (unsigned i = 0; i < times && ended.empty(); ++i) {
      DiskLook volume = low(++down);
      volume.explained = explained;
      stirs(stir);
      ended = guard.look(volume, {{1, {}}}, stir);
    }
    return ended;
  }

  /// Looks at it while it does not fall.
  Ids rest(unsigned times) {
    Ids ended;
    for (unsigned i = 0; i < times && ended.empty(); ++i) {
      ended = guard.look(low(down), {{1, {}}}, stir);
    }
    return ended;
  }
};

void forks(JailStir& stir) { ++stir.processes; }
void runs(JailStir& stir) { stir.activity += DiskGuard::quiet_activity + 1; }
void crowds(JailStir& stir) { stir.whole = false; }
void idles(JailStir& stir) { stir.activity += DiskGuard::quiet_activity; }

TEST(DiskGuard, where_the_volume_keeps_falling_and_nobody_shows_a_jail_that_stirs_ends) {
  for (const auto stirs : {forks, runs, crowds}) {
    Fall fall;
    EXPECT_EQ(fall.look(DiskGuard::patience, stirs), Ids{});
    EXPECT_EQ(fall.look(1, stirs), Ids{1});
    // And it begins to count anew.
    EXPECT_EQ(fall.look(DiskGuard::patience - 1, stirs), Ids{});
  }
}

TEST(DiskGuard, a_quiet_jail_outlasts_one_that_stirs_and_no_fall_that_never_ends) {
  Fall fall;
  EXPECT_EQ(fall.look(DiskGuard::patience + 1, idles), Ids{});
  EXPECT_EQ(fall.look(1, idles, true), Ids{}) << "the other has been ended";
  EXPECT_EQ(fall.look(DiskGuard::long_patience - 1, idles), Ids{});
  EXPECT_EQ(fall.look(1, idles), Ids{1});
}

TEST(DiskGuard, who_stirs_in_half_of_the_looks_is_not_quiet) {
  Fall fall;
  unsigned turn = 0;
  const auto now_and_then = [&](JailStir& stir) {
    if (++turn % 2 == 0) ++stir.processes;
  };
  EXPECT_EQ(fall.look(DiskGuard::patience + 1, now_and_then), Ids{1});
}

TEST(DiskGuard, a_fall_that_is_explained_or_that_stops_is_nobodys) {
  Fall fall;
  EXPECT_EQ(fall.look(10 * DiskGuard::patience, forks, true), Ids{});
  EXPECT_EQ(fall.look(DiskGuard::patience - 1, forks), Ids{});
  EXPECT_EQ(fall.rest(DiskGuard::longest_rest + 1), Ids{});
  EXPECT_EQ(fall.look(DiskGuard::patience - 1, forks), Ids{});
}

TEST(DiskGuard, who_writes_with_rests_is_no_better) {
  Fall fall;
  EXPECT_EQ(fall.look(DiskGuard::patience, forks), Ids{}) << "the first look says nothing";
  EXPECT_EQ(fall.rest(DiskGuard::longest_rest), Ids{});
  EXPECT_EQ(fall.look(1, forks), Ids{1});
}

TEST(DiskGuard, a_quiet_jail_bears_falls_with_rests) {
  Fall fall;
  for (unsigned i = 0; i < 10; ++i) {
    EXPECT_EQ(fall.look(DiskGuard::patience, idles), Ids{});
    EXPECT_EQ(fall.rest(1), Ids{});
  }
}

}  // namespace
}  // namespace evojail
