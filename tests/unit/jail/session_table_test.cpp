#include "jail/session_table.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

namespace evojail {
namespace {

/// A table with sessions that are numbers only: no sshd, no init.
class SessionTableTest : public testing::Test {
 protected:
  SessionTableTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    state_.init.report = Fd(ends[0]);
    fifo_ = Fd(ends[1]);
    for (const std::uint16_t port : {std::uint16_t{1001}, std::uint16_t{1002}}) {
      Session session;
      session.id = ++state_.last_session;
      session.peer = {*parse_prefix("192.0.2.7"), port};
      state_.sessions.emplace(session.id, std::move(session));
    }
  }

  void say(const std::string& line) {
    const std::string whole = line + "\n";
    ASSERT_EQ(::write(fifo_.get(), whole.data(), whole.size()), static_cast<ssize_t>(whole.size()));
  }

  /// What the sessions run now, by the port of their peer.
  std::string running(std::uint16_t port) {
    for (const SessionStatus& session : table_.status()) {
      if (session.port == port) return session.command;
    }
    return "no such session";
  }

  Session& session(std::uint16_t port) {
    for (auto& [id, session] : state_.sessions) {
      if (session.peer.port == port) return session;
    }
    throw std::runtime_error("no such session");
  }

  SupervisorState state_{.lock = FileLock::adopt("/nonexistent/lock", Fd()),
                         .image = {},
                         .image_id = {},
                         .weaknesses = {},
                         .init = {},
                         .listener = {},
                         .control = {},
                         .asker = {},
                         .sessions = {}};
  EventLoop loop_ = EventLoop::make().value();
  SessionTable table_{state_, loop_, [](LogLevel, std::string_view) {}, [](const auto&) {}};
  Fd fifo_;
};

TEST_F(SessionTableTest, KnowsWhatWasReportedBeforeItIsAsked) {
  EXPECT_EQ(running(1001), "");
  say("begin 192.0.2.7 1001 20 rsync --server . /data");
  EXPECT_EQ(running(1001), "rsync --server . /data");
  EXPECT_EQ(running(1002), "");
  say("end 192.0.2.7 1001 20 exit 0");
  EXPECT_EQ(running(1001), "");
  EXPECT_EQ(session(1001).outcome, "exit 0");
}

TEST_F(SessionTableTest, CommandsThatShareAConnectionAreToldApart) {
  say("begin 192.0.2.7 1001 20 rsync --server . /data");
  say("begin 192.0.2.7 1001 21 true");
  say("end 192.0.2.7 1001 21 exit 1");
  EXPECT_EQ(running(1001), "rsync --server . /data");
  EXPECT_FALSE(session(1001).pushed);
  say("end 192.0.2.7 1001 20 exit 0");
  EXPECT_EQ(running(1001), "");
  EXPECT_TRUE(session(1001).pushed);
  // What came of the command that the record names.
  EXPECT_EQ(session(1001).command, "true");
  EXPECT_EQ(session(1001).outcome, "exit 1");
}

TEST_F(SessionTableTest, AnEndWithoutABeginSaysNothing) {
  say("begin 192.0.2.7 1001 20 rsync --server . /data");
  say("end 192.0.2.7 1001 99 exit 0");
  say("end 192.0.2.7 1002 20 exit 0");
  EXPECT_EQ(running(1001), "rsync --server . /data");
  EXPECT_FALSE(session(1001).pushed);
}

TEST_F(SessionTableTest, CountsEveryCommandThatBegins) {
  say("begin 192.0.2.7 1001 20 true");
  say("end 192.0.2.7 1001 20 exit 0");
  say("begin 192.0.2.7 1002 21");
  // One whose session has ended before its report was read.
  say("begin 192.0.2.7 1003 22 true");
  EXPECT_EQ(running(1002), "login shell");
  EXPECT_EQ(state_.commands, 3U);
}

TEST_F(SessionTableTest, KeepsABoundedNumberOfCommands) {
  for (int pid = 100; pid < 200; ++pid) {
    say("begin 192.0.2.7 1001 " + std::to_string(pid) + " sleep");
  }
  EXPECT_EQ(running(1001), "sleep");
  EXPECT_EQ(session(1001).running.size(), 10U);
  for (int pid = 100; pid < 200; ++pid) {
    say("end 192.0.2.7 1001 " + std::to_string(pid) + " exit 0");
  }
  EXPECT_EQ(running(1001), "");
  EXPECT_EQ(state_.commands, 100U);
}

// They would keep a processor busy for as long as somebody writes.
TEST_F(SessionTableTest, ReadsReportsNoFasterThanAnybodyHasToReport) {
  state_.sessions.clear();
  ASSERT_TRUE(table_.attach(std::chrono::seconds(60)));
  const Fd always(::eventfd(1, EFD_CLOEXEC));
  std::uint64_t said = 0;
  const auto unread = [&] { return said - state_.commands; };
  ASSERT_TRUE(loop_.watch(always.get(), [&] {
    say("begin 192.0.2.7 1003 22 true");
    ++said;
    // Where each turn of the loop has a look, one or two are left.
    if (unread() > 3 || said == 100'000) loop_.stop();
  }));
  ASSERT_TRUE(loop_.run());
  loop_.unwatch(always.get());
  EXPECT_GT(state_.commands, 0U);
  EXPECT_GT(unread(), 3U);
  // Whoever asks learns of all.
  EXPECT_TRUE(table_.status().empty());
  EXPECT_EQ(unread(), 0U);
}

}  // namespace
}  // namespace evojail
