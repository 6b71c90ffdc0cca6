#include "jail/session_report.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "fuzz.hpp"

// What root in a jail writes into the report FIFO; the same bytes as a command that is reported.
EVOJAIL_FUZZ(session_report) {
  std::vector<SessionReport> whole;
  SessionReportReader reader;
  reader.feed(input, [&](const SessionReport& report) { whole.push_back(report); });
  for (const auto& report : whole) {
    require(std::ranges::all_of(report.command, [](char c) { return c >= ' ' && c <= '~'; }),
            "a command can be logged");
    require(report.peer.size() <= 64, "an address is short");
    require(report.status >= 0 && report.status <= 255, "a status has eight bits");
  }

  std::vector<SessionReport> parts;
  SessionReportReader slow;
  for (const char c : input) {
    slow.feed({&c, 1}, [&](const SessionReport& report) { parts.push_back(report); });
  }
  require(parts == whole && slow.rejected() == reader.rejected(), "how it is cut does not matter");

  std::array<char, session_report_limit> line{};
  const auto length = format_begin_report(line, "2001:db8::1", 50022, 17, input);
  require(length <= line.size() && line[length - 1] == '\n', "a report is one line");
  const auto report = parse_session_report({line.data(), length - 1});
  require(report && report->pid == 17, "what is written can be read");
}
