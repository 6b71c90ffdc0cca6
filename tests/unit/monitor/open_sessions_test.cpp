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
  const auto sessions = read_open_sessions(host, {"web1"});
  ASSERT_EQ(sessions.size(), 1U);
  EXPECT_TRUE(sessions[0].idle);
  EXPECT_FALSE(sessions[0].push_in_flight);
  EXPECT_TRUE(sessions[0].lines.empty());
}

}  // namespace
}  // namespace evojail
