#include "store/open_sessions.hpp"

#include <algorithm>
#include <utility>

namespace evojail {
namespace {

/// A session's line grows when its command becomes known, and is cut when that has ended.
void add_line(std::vector<std::string>& lines, const std::string& line) {
  for (std::string& known : lines) {
    if (known.starts_with(line)) return;
    if (line.starts_with(known)) {
      known = line;
      return;
    }
  }
  lines.push_back(line);
}

bool is_of(const std::string& line, const EndedSession& session) {
  return line.contains(" " + session.peer + " port ") && line.contains(", since " + session.since);
}

}  // namespace

void OpenSessions::add(const OpenSessions& later) {
  for (const std::string& line : later.lines) add_line(lines, line);
  push_in_flight = push_in_flight || later.push_in_flight;
  idle = idle && later.idle;
  const auto was_finished = std::exchange(finished, later.finished);
  if (!later.last || later.last == last) return;
  const auto among = [&later](const std::vector<std::string>& some) {
    return std::ranges::any_of(
        some, [&later](const std::string& line) { return is_of(line, *later.last); });
  };
  if (!among(lines)) lines.push_back(later.last->line);
  push_in_flight = push_in_flight || (later.last->push && !among(was_finished));
  idle = false;
  last = later.last;
}

}  // namespace evojail
