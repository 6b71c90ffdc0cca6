#include "jail/session.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "jail/push_end.hpp"

namespace evojail {

namespace {

/// sshd opens ten for one connection (MaxSessions). One whose end was not reported, since somebody
/// killed its shell, makes room.
constexpr std::size_t most_running = 10;

/// A line a session that is logged whatever else the jail has logged: not at any length.
constexpr std::size_t most_logged = 400;

/// A quote that the client wrote must not end the quotes.
std::string in_quotes(std::string_view command) {
  std::string text = "'";
  for (const char c : command) {
    if (c == '\'') {
      text += "\\x27";
    } else {
      text += c;
    }
  }
  if (text.size() > most_logged) {
    text.resize(most_logged);
    text += command_cut_mark;
  }
  return text + "'";
}

std::string outcome_of(const SessionReport& report) {
  const bool signalled = report.kind == SessionReport::Kind::signalled;
  return fmt::format("{} {}", signalled ? "signal" : "exit", report.status);
}

}  // namespace

void note_report(Session& session, const SessionReport& report) {
  const auto found = std::ranges::find(session.running, report.pid, &RunningCommand::pid);
  if (report.kind == SessionReport::Kind::begin) {
    if (found != session.running.end()) session.running.erase(found);
    if (session.running.size() == most_running) session.running.erase(session.running.begin());
    session.command = report.command.empty() ? "login shell" : report.command;
    session.command_pid = report.pid;
    session.outcome.clear();
    session.running.push_back({report.pid, session.command});
    return;
  }
  if (found == session.running.end()) return;
  const std::string outcome = outcome_of(report);
  session.pushed = session.pushed || is_push(found->text, outcome);
  if (report.pid == session.command_pid) session.outcome = outcome;
  session.running.erase(found);
}

std::string describe(const SessionRecord& record) {
  std::string text = fmt::format("session from {} ended after {} s, {} bytes received, {} sent",
                                 to_string(record.peer), record.ended - record.began,
                                 record.traffic.received, record.traffic.sent);
  if (!record.command.empty()) {
    text += "; the client says: " + in_quotes(record.command);
    if (!record.outcome.empty()) text += ": " + record.outcome;
  }
  return text;
}

}  // namespace evojail
