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

bool settled(const HostSettings& host, const std::string& name) {
  const auto last = read_last_session(host, name);
  if (!last) return false;
  if (!*last) return true;
  const std::int64_t now = std::time(nullptr);
  return (*last)->ended <= now && now - (*last)->ended >= kSettled;
}

}  // namespace

std::string describe_session(const SessionStatus& session) {
  return fmt::format("{}: {} port {}, since {}{}", session.id, session.peer, session.port,
                     utc(session.began), session.command.empty() ? "" : ", " + session.command);
}

std::vector<OpenSessions> read_open_sessions(const HostSettings& host,
                                             const std::vector<std::string>& names) {
  std::vector<OpenSessions> all;
  for (const std::string& name : names) {
    const auto status = ask_status(JailPaths(host, name));
    OpenSessions open;
    if (!status) {
      // Its jail could be in the middle of a push.
      open.lines.push_back("not known: " + status.error().message());
      open.push_in_flight = true;
    } else if (!*status) {
      open.idle = true;
    } else {
      for (const SessionStatus& session : (*status)->sessions) {
        open.lines.push_back(describe_session(session));
        open.push_in_flight = open.push_in_flight || !session.command.empty();
      }
      open.idle = (*status)->sessions.empty() && settled(host, name);
    }
    all.push_back(std::move(open));
  }
  return all;
}

}  // namespace evojail
