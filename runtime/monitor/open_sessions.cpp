#include "monitor/open_sessions.hpp"

#include <fmt/format.h>

#include <array>
#include <ctime>

#include "config/layout.hpp"
#include "jail/control_client.hpp"
#include "jail/last_session.hpp"

namespace evojail {
namespace {

/// init kills what a session left behind after ten seconds; the rest is for a slow machine.
constexpr std::int64_t kSettled = 20;

std::string utc(std::int64_t seconds) {
  const auto clock = static_cast<std::time_t>(seconds);
  std::tm time{};
  ::gmtime_r(&clock, &time);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &time)};
}

EndedSession describe_ended(const LastSession& last) {
  EndedSession ended;
  ended.peer = last.peer;
  ended.since = utc(last.began);
  ended.line = fmt::format("{}, since {}, to {}{}", last.peer, ended.since, utc(last.ended),
                           last.command.empty() ? "" : ", " + last.command);
  return ended;
}

bool settled(const LastSession& last) {
  const std::int64_t now = std::time(nullptr);
  return last.ended <= now && now - last.ended >= kSettled;
}

}  // namespace

std::string describe_session(const SessionStatus& session) {
  return fmt::format("{}: {} port {}, since {}{}", session.id, session.peer, session.port,
                     utc(session.began), session.command.empty() ? "" : ", " + session.command);
}

OpenSessions read_open_sessions(const HostSettings& host, const std::string& name) {
  OpenSessions open;
  const auto status = ask_status(JailPaths(host, name));
  // After the question above: a session that ends in between is in both answers, not in none.
  const auto last = read_last_session(host, name);
  if (last && *last) open.last = describe_ended(**last);
  if (!status) {
    // Its jail could be in the middle of a push.
    open.lines.push_back("not known: " + status.error().message());
    open.push_in_flight = true;
  } else if (!*status) {
    open.idle = true;
  } else {
    open.begun = {(*status)->since, (*status)->init, (*status)->commands};
    for (const SessionStatus& session : (*status)->sessions) {
      open.lines.push_back(describe_session(session));
      open.push_in_flight = open.push_in_flight || !session.command.empty();
    }
    open.idle = (*status)->sessions.empty() && last && (!*last || settled(**last));
  }
  return open;
}

}  // namespace evojail
