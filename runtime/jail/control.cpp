#include "jail/control.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

namespace evojail {
namespace {

using nlohmann::json;

constexpr std::array kinds{std::pair{ControlRequest::Kind::status, "status"},
                           std::pair{ControlRequest::Kind::reload, "reload"},
                           std::pair{ControlRequest::Kind::stop, "stop"},
                           std::pair{ControlRequest::Kind::end_sessions, "end-sessions"}};

json to_json(const SessionStatus& session) {
  return {{"id", session.id},          {"peer", session.peer},         {"port", session.port},
          {"began", session.began},    {"received", session.received}, {"sent", session.sent},
          {"command", session.command}};
}

SessionStatus session_from(const json& value) {
  return {value.at("id").get<std::uint32_t>(),       value.at("peer").get<std::string>(),
          value.at("port").get<std::uint16_t>(),     value.at("began").get<std::int64_t>(),
          value.at("received").get<std::uint64_t>(), value.at("sent").get<std::uint64_t>(),
          value.at("command").get<std::string>()};
}

json to_json(const SupervisorStatus& status) {
  json sessions = json::array();
  for (const auto& session : status.sessions) sessions.push_back(to_json(session));
  return {{"pid", status.pid},    {"init", status.init},        {"since", status.since},
          {"port", status.port},  {"image", status.image},      {"base_uid", status.base_uid},
          {"sessions", sessions}, {"warnings", status.warnings}};
}

SupervisorStatus status_from(const json& value) {
  SupervisorStatus status;
  status.pid = value.at("pid").get<pid_t>();
  status.init = value.at("init").get<pid_t>();
  status.since = value.at("since").get<std::int64_t>();
  status.port = value.at("port").get<std::uint16_t>();
  status.image = value.at("image").get<std::string>();
  status.base_uid = value.at("base_uid").get<std::uint32_t>();
  for (const auto& session : value.at("sessions")) status.sessions.push_back(session_from(session));
  status.warnings = value.at("warnings").get<std::vector<std::string>>();
  return status;
}

}  // namespace

std::string encode(const ControlRequest& request) {
  for (const auto& [kind, name] : kinds) {
    if (kind == request.kind) return json{{"request", name}}.dump();
  }
  return {};
}

std::string encode(const ControlReply& reply) {
  json value{{"sessions", reply.sessions}};
  if (reply.status) value["status"] = to_json(*reply.status);
  if (!reply.error.empty()) value["error"] = reply.error;
  if (!reply.hint.empty()) value["hint"] = reply.hint;
  return value.dump(-1, ' ', true, json::error_handler_t::replace);
}

Result<ControlRequest> decode_control_request(std::string_view text) {
  const json value = json::parse(text, nullptr, false);
  if (value.is_object() && value.size() == 1 && value.contains("request")) {
    for (const auto& [kind, name] : kinds) {
      if (value["request"] == name) return ControlRequest{kind};
    }
  }
  return fail("the control socket got a request that it does not know");
}

Result<ControlReply> decode_control_reply(std::string_view text) {
  try {
    const json value = json::parse(text);
    ControlReply reply;
    reply.sessions = value.at("sessions").get<std::uint64_t>();
    reply.error = value.value("error", "");
    reply.hint = value.value("hint", "");
    if (value.contains("status")) reply.status = status_from(value.at("status"));
    return reply;
  } catch (const json::exception&) {
    return fail("the supervisor's reply is malformed");
  }
}

}  // namespace evojail
