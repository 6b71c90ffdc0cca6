#include "store/open_sessions.hpp"

#include <algorithm>

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

/// Whether a command can have begun between the looks. A jail that was stopped meanwhile took its
/// count with it.
bool any_began(const std::optional<BegunCommands>& before,
               const std::optional<BegunCommands>& after) {
  if (!before) return after && after->count != 0;
  return before != after;
}

}  // namespace

void OpenSessions::add(const OpenSessions& later) {
  for (const std::string& line : later.lines) add_line(lines, line);
  const bool began = any_began(begun, later.begun);
  push_in_flight = push_in_flight || later.push_in_flight || began;
  idle = idle && later.idle && !began;
  begun = later.begun;
  if (!later.last || later.last == last) return;
  const auto known = [&later](const std::string& line) { return is_of(line, *later.last); };
  if (std::ranges::none_of(lines, known)) lines.push_back(later.last->line);
  // Off before and after, and on in between: the count was never seen.
  push_in_flight = push_in_flight || !later.begun;
  idle = false;
  last = later.last;
}

}  // namespace evojail
