#include "cli/status_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/table.hpp"
#include "cli/text.hpp"

namespace evojail {
namespace {

Table::Cell state_cell(const JailStatus& jail) {
  if (!jail.answered) return {"?", Colour::warning};
  if (!jail.on() && !jail.settings) return {"unreadable", Colour::bad};
  return jail.on() ? Table::Cell{"ON", Colour::good} : Table::Cell{"OFF", Colour::faint};
}

/// One word: the row is cut at blanks by scripts.
std::string addresses(const JailStatus& jail) {
  if (!jail.settings) return "?";
  std::string text = format_allow(*jail.settings);
  std::ranges::replace(text, ' ', ',');
  return text;
}

/// The one that answers; settings that a reload could not take up are no help to a client.
std::string port_of(const JailStatus& jail) {
  if (jail.on()) return std::to_string(jail.supervisor->port);
  return jail.settings ? std::to_string(jail.settings->port) : "?";
}

std::string retention(const JailStatus& jail) {
  if (!jail.has_incs_policy) return "0";
  if (jail.policy_trouble) return "?";
  return fmt::format("{}/{}", jail.policy_days, jail.policy_months);
}

std::string traffic(const FirewallCount& count) {
  return fmt::format("{} ({})", format_bytes(count.bytes), count_of(count.packets, "packet"));
}

std::string session_line(const SessionStatus& session, std::int64_t now) {
  return fmt::format("  {}: {} port {}, for {}, received {}, sent {}{}\n", session.id, session.peer,
                     session.port, format_duration(now - session.began),
                     format_bytes(session.received), format_bytes(session.sent),
                     session.command.empty() ? "" : ", says it runs: " + session.command);
}

std::string running_lines(const SupervisorStatus& supervisor, std::int64_t now) {
  std::string text =
      fmt::format("running:      for {}, supervisor {}, init {}, base image {}, base uid {}\n",
                  format_duration(now - supervisor.since), supervisor.pid, supervisor.init,
                  supervisor.image, supervisor.base_uid);
  for (const std::string& warning : supervisor.warnings) {
    text += fmt::format("warning:      {}\n", warning);
  }
  text += fmt::format("sessions:     {}\n", supervisor.sessions.size());
  for (const SessionStatus& session : supervisor.sessions) text += session_line(session, now);
  return text;
}

}  // namespace

std::string status_table(const std::vector<JailStatus>& jails, bool with_header, bool with_colour) {
  Table table;
  table.column("JAIL NAME");
  table.column("STATUS");
  table.column("PORT", Table::Align::right);
  table.column("RETENTION (DAY/MONTH)");
  table.column("IP");
  table.column("SESSIONS", Table::Align::right);
  table.column("INCS", Table::Align::right);
  table.column("NEWEST INC");
  for (const JailStatus& jail : jails) {
    table.row({{jail.name},
               state_cell(jail),
               {port_of(jail)},
               {retention(jail)},
               {addresses(jail)},
               {jail.on() ? std::to_string(jail.supervisor->sessions.size()) : "-"},
               {jail.incs ? std::to_string(*jail.incs) : "?"},
               {jail.newest_inc.value_or("-")}});
  }
  return table.format(with_header, with_colour);
}

std::string status_details(const JailStatus& jail, std::int64_t now) {
  std::string text = "\n";
  if (jail.supervisor) text += running_lines(*jail.supervisor, now);
  if (jail.last_session) {
    const LastSession& last = *jail.last_session;
    text += fmt::format("last session: ended {} ago, from {}, received {}{}\n",
                        format_duration(now - last.ended), last.peer, format_bytes(last.received),
                        last.outcome.empty() ? "" : ", says it ended with: " + last.outcome);
  } else {
    text += "last session: none yet\n";
  }
  text += fmt::format("keys:         {}\n", jail.keys);
  if (jail.settings) text += fmt::format("profile:      {}\n", jail.settings->profile);
  if (!jail.has_incs_policy) text += "incs policy:  none: no inc is taken or removed\n";
  if (jail.policy_keeps_none) text += "incs policy:  'none': the next rm removes every inc\n";
  if (jail.held_incs != 0) text += fmt::format("held incs:    {}\n", jail.held_incs);
  if (jail.firewall) {
    const FirewallCounters& counters = *jail.firewall;
    text += fmt::format("received:     {}\nsent:         {}\n", traffic(counters.received),
                        traffic(counters.sent));
    text += fmt::format("refused:      {} of addresses not allowed, {} beyond the rate\n",
                        count_of(counters.refused.packets, "packet"), counters.limited.packets);
    if (counters.stopped.packets != 0) {
      text +=
          fmt::format("warning:      {} that its sessions tried to send elsewhere were stopped\n",
                      count_of(counters.stopped.packets, "packet"));
    }
  }
  for (const std::string& trouble : jail.troubles)
    text += fmt::format("trouble:      {}\n", trouble);
  return text;
}

}  // namespace evojail
