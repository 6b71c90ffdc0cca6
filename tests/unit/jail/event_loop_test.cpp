#include "jail/event_loop.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace evojail {
namespace {

using Clock = EventLoop::Clock;

class EventLoopTest : public testing::Test {
 protected:
  Fd readable_{::eventfd(1, EFD_CLOEXEC)};
  Result<EventLoop> made_ = EventLoop::make();
  EventLoop& loop_ = *made_;
};

TEST_F(EventLoopTest, a_timer_that_is_always_due_again_leaves_descriptors_their_turn) {
  int calls = 0;
  const auto due = Clock::now();
  std::function<void()> again = [&] {
    if (++calls < 1000) loop_.at(due, again);
  };
  loop_.at(due, again);
  int calls_before_the_descriptor = -1;
  ASSERT_TRUE(loop_.watch(readable_.get(), [&] {
    if (calls == 0) return;
    calls_before_the_descriptor = calls;
    loop_.stop();
  }));
  ASSERT_TRUE(loop_.run());
  EXPECT_EQ(calls_before_the_descriptor, 1);
}

TEST_F(EventLoopTest, timers_run_in_the_order_of_their_times) {
  std::string order;
  const auto now = Clock::now();
  loop_.at(now + std::chrono::milliseconds(2), [&] { order += 'b'; });
  loop_.at(now + std::chrono::milliseconds(3), [&] { loop_.stop(); });
  loop_.at(now, [&] { order += 'a'; });
  ASSERT_TRUE(loop_.run());
  EXPECT_EQ(order, "ab");
}

TEST_F(EventLoopTest, a_timer_can_be_cancelled_by_one_that_is_due_with_it) {
  bool ran = false;
  EventLoop::TimerId other = 0;
  const auto now = Clock::now();
  loop_.at(now, [&] { loop_.cancel(other); });
  other = loop_.at(now, [&] { ran = true; });
  loop_.at(now, [&] { loop_.stop(); });
  ASSERT_TRUE(loop_.run());
  EXPECT_FALSE(ran);
}

TEST_F(EventLoopTest, a_descriptor_can_be_unwatched_by_another_ones_callback) {
  const Fd other(::eventfd(1, EFD_CLOEXEC));
  int calls = 0;
  ASSERT_TRUE(loop_.watch(readable_.get(), [&] {
    ++calls;
    loop_.unwatch(other.get());
    loop_.unwatch(readable_.get());
    loop_.stop();
  }));
  ASSERT_TRUE(loop_.watch(other.get(), [&] {
    ++calls;
    loop_.unwatch(other.get());
    loop_.unwatch(readable_.get());
    loop_.stop();
  }));
  ASSERT_TRUE(loop_.run());
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, a_paused_descriptor_has_its_callback_again_in_time) {
  int calls = 0;
  const auto never = [](const Error& error) { ADD_FAILURE() << error.message(); };
  ASSERT_TRUE(loop_.watch(readable_.get(), [&] {
    if (++calls == 2) return loop_.stop();
    loop_.pause(readable_.get(), Clock::now() + std::chrono::milliseconds(2), never);
    loop_.at(Clock::now(), [&] { EXPECT_EQ(calls, 1) << "ready, and paused"; });
  }));
  ASSERT_TRUE(loop_.run());
  EXPECT_EQ(calls, 2);
}

TEST_F(EventLoopTest, a_paused_descriptor_can_be_unwatched) {
  int calls = 0;
  const auto now = Clock::now();
  ASSERT_TRUE(loop_.watch(readable_.get(), [&] {
    ++calls;
    loop_.pause(readable_.get(), now, [](const Error& error) { FAIL() << error.message(); });
    loop_.unwatch(readable_.get());
  }));
  loop_.at(now + std::chrono::milliseconds(2), [&] { loop_.stop(); });
  ASSERT_TRUE(loop_.run());
  EXPECT_EQ(calls, 1);
}

TEST_F(EventLoopTest, a_pause_that_cannot_end_is_told_of) {
  std::string said;
  ASSERT_TRUE(loop_.watch(readable_.get(), [&] {
    loop_.pause(readable_.get(), Clock::now(), [&](const Error& error) {
      said = error.message();
      loop_.stop();
    });
    ASSERT_EQ(::close(readable_.release()), 0);
  }));
  ASSERT_TRUE(loop_.run());
  EXPECT_NE(said, "");
}

TEST_F(EventLoopTest, an_event_of_a_closed_descriptor_is_not_taken_for_its_successors) {
  Fd other(::eventfd(1, EFD_CLOEXEC));
  Fd successor;
  const int number = other.get();
  bool called = false;
  ASSERT_TRUE(loop_.watch(readable_.get(), [&] {
    loop_.unwatch(readable_.get());
    loop_.unwatch(number);
    const Fd silent(::eventfd(0, EFD_CLOEXEC));
    other.reset();
    successor = Fd(::dup3(silent.get(), number, O_CLOEXEC));
    ASSERT_TRUE(loop_.watch(number, [&] { called = true; }));
    loop_.at(Clock::now(), [&] { loop_.stop(); });
  }));
  ASSERT_TRUE(loop_.watch(number, [] {}));
  ASSERT_TRUE(loop_.run());
  ASSERT_EQ(successor.get(), number);
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace evojail
