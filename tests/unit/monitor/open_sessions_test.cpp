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

TEST(OpenSessions, OneThatCameAndWentBetweenIsSeen) {
  const EndedSession before{"192.0.2.7", "T0", "192.0.2.7, since T0, to T1, rsync", true};
  const EndedSession between{"192.0.2.7", "T2", "192.0.2.7, since T2, to T3, rsync", true};
  OpenSessions both = idle();
  both.last = before;
  OpenSessions later = idle();
  later.last = before;
  both.add(later);
  EXPECT_TRUE(both.idle);
  EXPECT_TRUE(both.lines.empty());
  later.last = between;
  both.add(later);
  EXPECT_FALSE(both.idle);
  EXPECT_TRUE(both.push_in_flight);
  ASSERT_EQ(both.lines.size(), 1U);
  EXPECT_EQ(both.lines[0], between.line);
}

TEST(OpenSessions, OneWhoseCommandHadEndedBeforeWasNoPush) {
  OpenSessions both;
  both.lines = {"4: 192.0.2.7 port 1, since T2"};
  both.finished = both.lines;
  OpenSessions later = idle();
  later.last = {"192.0.2.7", "T2", "192.0.2.7, since T2, to T3, rsync", true};
  both.add(later);
  EXPECT_FALSE(both.push_in_flight);
  EXPECT_EQ(both.lines.size(), 1U);
}

TEST(OpenSessions, OneThatEndedBetweenIsListedOnce) {
  OpenSessions both;
  both.lines = {"4: 192.0.2.7 port 1, since T2, rsync"};
  OpenSessions later = idle();
  later.last = {"192.0.2.7", "T2", "192.0.2.7, since T2, to T3, rsync", true};
  both.add(later);
  EXPECT_EQ(both.lines.size(), 1U);
}

}  // namespace
}  // namespace evojail
