#include "monitor/open_sessions.hpp"

#include <gtest/gtest.h>

namespace evojail {
namespace {

TEST(OpenSessions, DescribesASessionInALine) {
  SessionStatus session;
  session.id = 3;
  session.peer = "192.0.2.7";
  session.port = 51234;
  session.began = 1763847607;
  EXPECT_EQ(describe_session(session), "3: 192.0.2.7 port 51234, since 2025-11-22T21:40:07Z");
  session.command = "rsync --server";
  EXPECT_EQ(describe_session(session),
            "3: 192.0.2.7 port 51234, since 2025-11-22T21:40:07Z, rsync --server");
}

TEST(OpenSessions, AJailThatIsOffIsIdle) {
  HostSettings host;
  host.rundir = "/nonexistent/run";
  const OpenSessions sessions = read_open_sessions(host, "web1");
  EXPECT_TRUE(sessions.idle);
  EXPECT_FALSE(sessions.push_in_flight);
  EXPECT_TRUE(sessions.lines.empty());
}

OpenSessions idle() {
  OpenSessions none;
  none.idle = true;
  return none;
}

TEST(OpenSessions, TheWorseOfTwoAnswersHolds) {
  OpenSessions later;
  later.lines = {"1: 192.0.2.7 port 1, since T"};
  later.push_in_flight = true;
  OpenSessions both = idle();
  both.add(later);
  EXPECT_FALSE(both.idle);
  EXPECT_TRUE(both.push_in_flight);
  EXPECT_EQ(both.lines, later.lines);
  both.add(idle());
  EXPECT_FALSE(both.idle);
  EXPECT_TRUE(both.push_in_flight);
  EXPECT_EQ(both.lines, later.lines);
}

TEST(OpenSessions, ASessionWhoseCommandBecameKnownIsOne) {
  OpenSessions both;
  both.lines = {"1: 192.0.2.7 port 1, since T"};
  OpenSessions later;
  later.lines = {"1: 192.0.2.7 port 1, since T, rsync", "2: 192.0.2.7 port 2, since T"};
  both.add(later);
  EXPECT_EQ(both.lines, later.lines);
  OpenSessions last;
  last.lines = {"1: 192.0.2.7 port 1, since T"};
  both.add(last);
  EXPECT_EQ(both.lines, later.lines);
}

OpenSessions begun(std::uint64_t count, std::int32_t init = 40) {
  OpenSessions some = idle();
  some.begun = BegunCommands{.since = 1763847607, .init = init, .count = count};
  return some;
}

OpenSessions after(OpenSessions before, const OpenSessions& later) {
  before.add(later);
  return before;
}

TEST(OpenSessions, ACommandThatCameAndWentBetweenIsSeen) {
  for (const bool nothing_else_shows : {true, false}) {
    OpenSessions before = begun(7);
    OpenSessions later = begun(8);
    if (!nothing_else_shows) {
      // It shared the connection of a session that is open all the time.
      before.lines = later.lines = {"1: 192.0.2.7 port 1, since T"};
      before.idle = later.idle = false;
    }
    const OpenSessions both = after(before, later);
    EXPECT_TRUE(both.push_in_flight);
    EXPECT_FALSE(both.idle);
    EXPECT_EQ(both.lines, before.lines);
  }
  const OpenSessions none = after(begun(7), begun(7));
  EXPECT_FALSE(none.push_in_flight);
  EXPECT_TRUE(none.idle);
}

TEST(OpenSessions, AJailThatWasStoppedOrStartedBetween) {
  const OpenSessions off = idle();
  EXPECT_TRUE(after(begun(7), off).push_in_flight);
  EXPECT_TRUE(after(begun(7), begun(7, 41)).push_in_flight);
  EXPECT_TRUE(after(off, begun(1)).push_in_flight);
  EXPECT_FALSE(after(off, begun(0)).push_in_flight);
  EXPECT_FALSE(after(off, off).push_in_flight);
  OpenSessions off_again = off;
  off_again.last = {"192.0.2.7", "T2", "192.0.2.7, since T2, to T3, rsync"};
  EXPECT_TRUE(after(off, off_again).push_in_flight);
}

TEST(OpenSessions, ASessionThatCameAndWentBetweenIsListed) {
  OpenSessions before = begun(7);
  before.last = {"192.0.2.7", "T0", "192.0.2.7, since T0, to T1, rsync"};
  OpenSessions later = begun(7);
  later.last = before.last;
  EXPECT_TRUE(after(before, later).idle);
  EXPECT_TRUE(after(before, later).lines.empty());
  later.last = {"192.0.2.7", "T2", "192.0.2.7, since T2, to T3"};
  const OpenSessions both = after(before, later);
  EXPECT_FALSE(both.idle);
  EXPECT_FALSE(both.push_in_flight);
  EXPECT_EQ(both.lines, std::vector<std::string>{later.last->line});
}

TEST(OpenSessions, OneThatEndedBetweenIsListedOnce) {
  OpenSessions both;
  both.lines = {"4: 192.0.2.7 port 1, since T2, rsync"};
  OpenSessions later = idle();
  later.last = {"192.0.2.7", "T2", "192.0.2.7, since T2, to T3, rsync"};
  both.add(later);
  EXPECT_EQ(both.lines.size(), 1U);
}

}  // namespace
}  // namespace evojail
