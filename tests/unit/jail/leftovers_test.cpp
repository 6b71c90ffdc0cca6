#include "jail/leftovers.hpp"

#include <gtest/gtest.h>

namespace evojail {
namespace {

using Clock = Leftovers::Clock;
using Pids = std::set<pid_t>;
const Clock::time_point start{std::chrono::hours(1)};

// Session 10 (its shell 11), and 20 with 21 below it, both children of init.
ProcessTable two_sessions() {
  return {{1, {0, 1}}, {10, {1, 100}}, {11, {10, 101}}, {20, {1, 200}}, {21, {20, 201}}};
}

TEST(Leftovers, processes_of_live_sessions_are_none) {
  Leftovers leftovers;
  leftovers.note(two_sessions(), {10, 20}, start);
  EXPECT_TRUE(leftovers.empty());
  EXPECT_EQ(leftovers.due(two_sessions(), start + std::chrono::hours(1)), Pids{});
}

TEST(Leftovers, what_outlived_its_session_is_due_at_its_deadline_with_all_below) {
  Leftovers leftovers;
  leftovers.note(two_sessions(), {10}, start + Leftovers::grace);
  EXPECT_EQ(leftovers.next_deadline(), start + Leftovers::grace);
  EXPECT_EQ(leftovers.due(two_sessions(), start + Leftovers::grace - std::chrono::seconds(1)),
            Pids{});
  EXPECT_EQ(leftovers.due(two_sessions(), start + Leftovers::grace), (Pids{20, 21}));
}

TEST(Leftovers, a_known_one_keeps_its_first_deadline) {
  Leftovers leftovers;
  leftovers.note(two_sessions(), {10}, start);
  leftovers.note(two_sessions(), {10}, start + std::chrono::hours(1));
  EXPECT_EQ(leftovers.next_deadline(), start);
}

TEST(Leftovers, may_be_hurried_but_never_given_longer) {
  Leftovers leftovers;
  leftovers.note(two_sessions(), {10}, start + Leftovers::grace);
  leftovers.hurry(start);
  EXPECT_EQ(leftovers.next_deadline(), start);
  leftovers.hurry(start + Leftovers::grace);
  EXPECT_EQ(leftovers.next_deadline(), start);
}

TEST(Leftovers, a_reused_pid_is_another_process) {
  Leftovers leftovers;
  leftovers.note(two_sessions(), {10}, start);
  auto later = two_sessions();
  later.at(20).start_time = 999;
  EXPECT_EQ(leftovers.due(later, start + std::chrono::hours(1)), Pids{});
  leftovers.keep_only(later);
  EXPECT_TRUE(leftovers.empty());
}

TEST(Leftovers, the_reaped_and_the_dead_are_not_due) {
  Leftovers leftovers;
  auto table = two_sessions();
  table.at(21).dead = true;
  leftovers.note(table, {10}, start);
  EXPECT_EQ(leftovers.due(table, start), (Pids{20}));
  leftovers.forget(20);
  EXPECT_TRUE(leftovers.empty());
}

TEST(ProcessStat, reads_parent_and_start_time_behind_any_command) {
  const std::string rest = " S 7 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 424242 1000 1 0";
  for (const char* command : {"12 (sh)", "12 (a) b)", "12 (x) S 99 (y)", "12 (\n)"}) {
    const auto entry = parse_process_stat(command + rest);
    ASSERT_TRUE(entry) << command;
    EXPECT_EQ(entry->parent, 7);
    EXPECT_EQ(entry->start_time, 424242U);
    EXPECT_FALSE(entry->dead);
  }
}

TEST(ProcessStat, a_zombie_is_dead_once_no_thread_of_it_is_left) {
  EXPECT_TRUE(parse_process_stat("12 (sh) Z 7 1 1 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 1 0")->dead);
  EXPECT_FALSE(parse_process_stat("12 (sh) Z 7 1 1 0 -1 4 1 2 3 4 5 6 7 8 20 0 2 0 1 0")->dead);
}

TEST(ProcessStat, refuses_what_is_none) {
  for (const char* text : {"", "12", "12 (sh", "12 (sh)", "12 (sh) S 7", "12 (sh) S x 1 1 0 -1"}) {
    EXPECT_FALSE(parse_process_stat(text)) << text;
  }
}

}  // namespace
}  // namespace evojail
