#include "jail/session_report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>
#include <vector>

namespace evojail {
namespace {

using Kind = SessionReport::Kind;

std::string begin_line(std::string_view peer, std::optional<std::string_view> command) {
  std::array<char, session_report_limit> line{};
  const auto length = format_begin_report(line, peer, 50022, 17, command);
  return {line.data(), length};
}

std::optional<SessionReport> parsed(const std::string& line) {
  EXPECT_TRUE(line.ends_with('\n'));
  return parse_session_report(std::string_view(line).substr(0, line.size() - 1));
}

TEST(SessionReport, RoundTrips) {
  EXPECT_EQ(parsed(begin_line("192.0.2.7", "rsync --server . /var/backup/")),
            (SessionReport{.kind = Kind::begin,
                           .peer = "192.0.2.7",
                           .port = 50022,
                           .pid = 17,
                           .command = "rsync --server . /var/backup/",
                           .status = 0}));
  EXPECT_EQ(parsed(begin_line("2001:db8::1", std::nullopt))->command, "");
  EXPECT_EQ(parsed(begin_line("fe80::1%eth0", "x"))->peer, "fe80::1%eth0");
  std::array<char, session_report_limit> line{};
  const auto exited = format_end_report(line, "::1", 65535, 2147483647, false, 255);
  EXPECT_EQ(parsed({line.data(), exited}),
            (SessionReport{Kind::exited, "::1", 65535, 2147483647, "", 255}));
  const auto signalled = format_end_report(line, "UNKNOWN", 0, 2, true, 9);
  EXPECT_EQ(parsed({line.data(), signalled}),
            (SessionReport{Kind::signalled, "UNKNOWN", 0, 2, "", 9}));
}

TEST(SessionReport, EscapesWhatALogMustNotShow) {
  EXPECT_EQ(parsed(begin_line("::1", "a\nb\033[31m\\\xff\x7f"))->command,
            "a\\x0ab\\x1b[31m\\\\\\xff\\x7f");
  using namespace std::string_view_literals;
  EXPECT_EQ(parsed(begin_line("::1", "a\0b"sv))->command, "a\\x00b");
  EXPECT_EQ(parsed(begin_line("::1", "  two  blanks "))->command, "  two  blanks ");
}

TEST(SessionReport, CutsLongCommandsAndSaysSo) {
  for (const char c : {'a', '\n', '\\'}) {
    for (const std::size_t length : {900U, 980U, 985U, 990U, 1000U, 5000U, 100000U}) {
      const std::string line = begin_line("192.0.2.7", std::string(length, c));
      ASSERT_LE(line.size(), session_report_limit);
      ASSERT_TRUE(parsed(line)) << length;
    }
    const auto report = parsed(begin_line("192.0.2.7", std::string(5000, c)));
    EXPECT_TRUE(report->command.ends_with("\\...")) << c;
  }
  // A command that ends as a cut one would is not taken for one.
  EXPECT_EQ(parsed(begin_line("::1", "echo \\..."))->command, "echo \\\\...");
}

TEST(SessionReport, ARandomCommandIsAlwaysOneSoundLine) {
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string command(random() % 1500, '\0');
    for (auto& c : command) c = static_cast<char>(random());
    const std::string line = begin_line("2001:db8::ffff", command);
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    ASSERT_TRUE(parsed(line));
  }
}

TEST(SessionReport, RefusesForgeries) {
  for (const std::string line : {"",
                                 "begin",
                                 "begin ::1",
                                 "begin ::1 1",
                                 "begin ::1 1 x",
                                 "begin ::1 1 0",
                                 "begin ::1 -1 2",
                                 "begin ::1 65536 2",
                                 "begin ::1 1 2147483648",
                                 "begin  ::1 1 2",
                                 "BEGIN ::1 1 2",
                                 "begin ::1/64 1 2",
                                 "begin a\"b 1 2",
                                 "begin ::1 1 2 a\tb",
                                 "begin ::1 1 2 \\",
                                 "begin ::1 1 2 \\x1",
                                 "begin ::1 1 2 \\xAA",
                                 "begin ::1 1 2 \\n",
                                 "begin ::1 1 2 \\...x",
                                 "begin ::1 1 2 \x1b[0m",
                                 "end ::1 1 2",
                                 "end ::1 1 2 exit",
                                 "end ::1 1 2 exit 256",
                                 "end ::1 1 2 exit -1",
                                 "end ::1 1 2 exit 0 ",
                                 "end ::1 1 2 exit 0 x",
                                 "end ::1 1 2 signal 0",
                                 "end ::1 1 2 signal 65",
                                 "end ::1 1 2 left 1",
                                 "begin ::1 1 2 \xc3\xa9"}) {
    EXPECT_FALSE(parse_session_report(line)) << line;
  }
  EXPECT_FALSE(parse_session_report("begin " + std::string(65, 'a') + " 1 2"));
  EXPECT_FALSE(parse_session_report("begin ::1 1 2 " + std::string(session_report_limit, 'a')));
}

std::vector<std::string> commands_of(SessionReportReader& reader,
                                     const std::vector<std::string>& reads) {
  std::vector<std::string> commands;
  for (const auto& bytes : reads) {
    reader.feed(bytes, [&](const SessionReport& report) { commands.push_back(report.command); });
  }
  return commands;
}

TEST(SessionReportReader, PutsPartsTogether) {
  SessionReportReader reader;
  EXPECT_THAT(
      commands_of(reader, {"begin ::1 1 2 a\nbegin ::", "1 1 2", " b", "\n", "begin ::1 1 2 c"}),
      ::testing::ElementsAre("a", "b"));
  EXPECT_THAT(commands_of(reader, {"\n"}), ::testing::ElementsAre("c"));
  EXPECT_EQ(reader.rejected(), 0U);
}

TEST(SessionReportReader, GetsOverAFlood) {
  SessionReportReader reader;
  const std::string flood(70000, 'x');
  EXPECT_THAT(
      commands_of(reader, {flood, flood, "begin ::1 1 2 inside\n", "begin ::1 1 2 after\n"}),
      ::testing::ElementsAre("after"));
  EXPECT_EQ(reader.rejected(), 1U);
  EXPECT_THAT(commands_of(reader, {"\n\n\n", "rubbish\n", "begin ::1 1 2 ok\n"}),
              ::testing::ElementsAre("ok"));
  EXPECT_EQ(reader.rejected(), 5U);
}

TEST(SessionReportReader, CutAnywhereItReadsTheSame) {
  const std::string text =
      "begin ::1 1 2 a\nend ::1 1 2 exit 0\n" + std::string(3000, 'y') + "\nbegin ::1 1 3 \\x0a\n";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    SessionReportReader reader;
    EXPECT_THAT(commands_of(reader, {text.substr(0, cut), text.substr(cut)}),
                ::testing::ElementsAre("a", "", "\\x0a"));
    EXPECT_EQ(reader.rejected(), 1U);
  }
}

}  // namespace
}  // namespace evojail
