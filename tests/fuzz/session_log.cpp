#include "jail/session_log.hpp"

#include <algorithm>

#include "fuzz.hpp"

// What sshd writes of a session, the client's own words in it.
EVOJAIL_FUZZ(session_log) {
  const SessionLog::Clock::time_point start{std::chrono::hours(1)};
  const auto all_of = [&](std::size_t piece) {
    SessionLog log;
    std::vector<std::string> lines;
    const auto add = [&](const std::vector<std::string>& more) {
      lines.insert(lines.end(), more.begin(), more.end());
    };
    for (std::size_t at = 0; at < input.size(); at += piece) {
      add(log.feed(input.substr(at, piece), start));
    }
    add(log.finish(start));
    return lines;
  };
  const auto lines = all_of(input.size() + 1);
  require(lines.size() <= SessionLog::burst + 1, "a flood is cut off");
  for (const auto& line : lines) {
    require(std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; }),
            "a line forges no other and moves no terminal");
    require(line.size() <= 4 * SessionLog::line_limit + 3, "a line is bounded");
  }
  require(all_of(1) == lines, "how it is cut does not matter");
}
