#include "jail/session_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evojail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Clock = SessionLog::Clock;
const Clock::time_point start{std::chrono::hours(1)};

TEST(SessionLog, gives_whole_lines_wherever_the_reads_cut_them) {
  SessionLog log;
  EXPECT_THAT(log.feed("Accepted pub", start), IsEmpty());
  EXPECT_THAT(log.feed("lickey\r\nBye\nre", start), ElementsAre("Accepted publickey", "Bye"));
  EXPECT_THAT(log.finish(start), ElementsAre("re"));
}

TEST(SessionLog, escapes_what_could_forge_a_line_or_reach_a_terminal) {
  SessionLog log;
  EXPECT_THAT(log.feed("a\x1b[2Jb\rc\\e\xff\n", start), ElementsAre("a\\x1b[2Jb\\x0dc\\\\e\\xff"));
  EXPECT_THAT(log.feed(std::string_view("\0\n", 2), start), ElementsAre("\\x00"));
}

TEST(SessionLog, bounds_a_line) {
  SessionLog log;
  for (int i = 0; i < 100; ++i) EXPECT_THAT(log.feed(std::string(10000, 'x'), start), IsEmpty());
  EXPECT_THAT(log.feed("\n", start), ElementsAre(std::string(SessionLog::line_limit, 'x') + "..."));
}

TEST(SessionLog, drops_a_flood_and_says_how_much) {
  SessionLog log;
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += "flood\n";
  EXPECT_EQ(log.feed(flood, start).size(), SessionLog::burst);
  EXPECT_THAT(log.feed("quiet again\n", start + std::chrono::seconds(1)),
              ElementsAre("(900 lines dropped)", "quiet again"));
}

TEST(SessionLog, tells_what_was_dropped_at_the_end_too) {
  SessionLog log;
  const std::string line = "x\n";
  for (std::size_t i = 0; i <= SessionLog::burst; ++i) (void)log.feed(line, start);
  EXPECT_THAT(log.finish(start), ElementsAre("(1 line dropped)"));
}

}  // namespace
}  // namespace evojail
