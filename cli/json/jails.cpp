#include "cli/json/jails.hpp"

#include <nlohmann/json.hpp>

#include "base/parse.hpp"
#include "cli/fingerprint.hpp"
#include "cli/json/document.hpp"
#include "cli/text.hpp"

namespace evojail {
namespace {

using json = nlohmann::ordered_json;

json text_or_null(const std::string& text) { return text.empty() ? json(nullptr) : json(text); }

json allow_value(const JailSettings& settings) {
  if (settings.allow_all) return json::array({"all"});
  json list = json::array();
  for (const Prefix& prefix : settings.allow) list.push_back(to_string(prefix));
  return list;
}

json session_value(const SessionStatus& session) {
  return {{"id", session.id},
          {"peer", session.peer},
          {"port", session.port},
          {"began", format_utc(session.began)},
          {"received_bytes", session.received},
          {"sent_bytes", session.sent},
          {"claimed_command", text_or_null(session.command)}};
}

json supervisor_value(const SupervisorStatus& supervisor) {
  json sessions = json::array();
  for (const SessionStatus& session : supervisor.sessions) {
    sessions.push_back(session_value(session));
  }
  return {{"pid", supervisor.pid},
          {"init_pid", supervisor.init},
          {"since", format_utc(supervisor.since)},
          {"port", supervisor.port},
          {"base_image", supervisor.image},
          {"base_uid", supervisor.base_uid},
          {"sessions", std::move(sessions)},
          {"warnings", supervisor.warnings}};
}

json last_session_value(const LastSession& session) {
  return {{"peer", session.peer},
          {"began", format_utc(session.began)},
          {"ended", format_utc(session.ended)},
          {"received_bytes", session.received},
          {"sent_bytes", session.sent},
          {"claimed_command", text_or_null(session.command)},
          {"claimed_outcome", text_or_null(session.outcome)}};
}

json count_value(const FirewallCount& count) {
  return {{"packets", count.packets}, {"bytes", count.bytes}};
}

json firewall_value(const FirewallCounters& counters) {
  return {{"received", count_value(counters.received)},
          {"sent", count_value(counters.sent)},
          {"refused", count_value(counters.refused)},
          {"limited", count_value(counters.limited)},
          {"stopped", count_value(counters.stopped)}};
}

json status_value(const JailStatus& jail) {
  const json state = !jail.answered ? json(nullptr) : json(jail.on() ? "on" : "off");
  json value = {{"jail", jail.name}, {"state", state}};
  value["port"] = jail.settings ? json(jail.settings->port) : json(nullptr);
  value["allow"] = jail.settings ? allow_value(*jail.settings) : json(nullptr);
  value["profile"] = jail.settings ? json(jail.settings->profile) : json(nullptr);
  value["keys"] = jail.keys;
  value["supervisor"] = jail.supervisor ? supervisor_value(*jail.supervisor) : json(nullptr);
  value["last_session"] =
      jail.last_session ? last_session_value(*jail.last_session) : json(nullptr);
  value["has_incs_policy"] = jail.has_incs_policy;
  value["incs_policy_error"] =
      jail.policy_trouble ? json(jail.policy_trouble->message()) : json(nullptr);
  value["incs"] = jail.incs ? json(*jail.incs) : json(nullptr);
  value["held_incs"] = jail.held_incs;
  value["newest_inc"] = jail.newest_inc ? json(*jail.newest_inc) : json(nullptr);
  value["firewall"] = jail.firewall ? firewall_value(*jail.firewall) : json(nullptr);
  value["troubles"] = jail.troubles;
  return value;
}

}  // namespace

std::string names_json(const std::vector<std::string>& names) {
  return print_document(json{{"jails", names}});
}

std::string keys_json(const std::string& name, const std::vector<std::string>& keys) {
  return print_document(json{{"jail", name}, {"keys", keys}});
}

std::string port_json(const std::string& name, std::uint16_t port) {
  return print_document(json{{"jail", name}, {"port", port}});
}

std::string allow_json(const std::string& name, const JailSettings& settings) {
  return print_document(json{{"jail", name}, {"allow", allow_value(settings)}});
}

std::string new_jail_json(const std::string& name, std::uint16_t port,
                          const std::vector<HostKey>& host_keys) {
  json keys = json::array();
  for (const HostKey& key : host_keys) {
    const auto print = fingerprint(key.public_key);
    keys.push_back({{"type", key.type},
                    {"fingerprint", print ? json(*print) : json(nullptr)},
                    {"public_key", trim(key.public_key)}});
  }
  return print_document(json{{"jail", name}, {"port", port}, {"host_keys", std::move(keys)}});
}

std::string firewall_json(const std::vector<OpenPort>& jails) {
  json list = json::array();
  for (const OpenPort& jail : jails) {
    list.push_back(
        {{"jail", jail.name}, {"port", jail.settings.port}, {"allow", allow_value(jail.settings)}});
  }
  return print_document(json{{"jails", std::move(list)}});
}

std::string statuses_json(const std::vector<JailStatus>& jails) {
  json list = json::array();
  for (const JailStatus& jail : jails) list.push_back(status_value(jail));
  return print_document(json{{"jails", std::move(list)}});
}

}  // namespace evojail
