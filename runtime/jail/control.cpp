#include "jail/control.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "jail/session_report.hpp"

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

/// What a number must be, and is not.
struct OutOfRange {};

/// nlohmann's own conversion wraps around silently.
template <class T>
T number(const json& object, const char* member) {
  const json& value = object.at(member);
  if (!value.is_number_integer()) throw OutOfRange{};
  const bool fits = value.is_number_unsigned() ? std::in_range<T>(value.get<std::uint64_t>())
                                               : std::in_range<T>(value.get<std::int64_t>());
  if (!fits) throw OutOfRange{};
  return value.get<T>();
}

SessionStatus session_from(const json& value) {
  return {number<std::uint32_t>(value, "id"),       value.at("peer").get<std::string>(),
          number<std::uint16_t>(value, "port"),     number<std::int64_t>(value, "began"),
          number<std::uint64_t>(value, "received"), number<std::uint64_t>(value, "sent"),
          value.at("command").get<std::string>()};
}

json to_json(const SupervisorStatus& status) {
  json sessions = json::array();
  for (const auto& session : status.sessions) sessions.push_back(to_json(session));
  return {{"pid", status.pid},           {"init", status.init},   {"since", status.since},
          {"port", status.port},         {"image", status.image}, {"base_uid", status.base_uid},
          {"commands", status.commands}, {"sessions", sessions},  {"warnings", status.warnings}};
}

SupervisorStatus status_from(const json& value) {
  SupervisorStatus status;
  status.pid = number<pid_t>(value, "pid");
  status.init = number<pid_t>(value, "init");
  status.since = number<std::int64_t>(value, "since");
  status.port = number<std::uint16_t>(value, "port");
  status.image = value.at("image").get<std::string>();
  status.base_uid = number<std::uint32_t>(value, "base_uid");
  // A supervisor of the version before does not say.
  if (value.contains("commands")) status.commands = number<std::uint64_t>(value, "commands");
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

namespace {

/// Less than what one message may be long (the host's net.core.wmem_default, 212,992 bytes). A
/// thousand sessions come to 160,000 without their commands.
constexpr std::size_t reply_limit = 200'000;

std::string encode_whole(const ControlReply& reply) {
  json value{{"sessions", reply.sessions}};
  if (reply.status) value["status"] = to_json(*reply.status);
  if (!reply.error.empty()) value["error"] = reply.error;
  if (!reply.hint.empty()) value["hint"] = reply.hint;
  if (!reply.pending.empty()) value["pending"] = reply.pending;
  return value.dump(-1, ' ', true, json::error_handler_t::replace);
}

void cut_commands(SupervisorStatus& status, std::size_t length) {
  for (auto& session : status.sessions) {
    if (session.command.size() <= length) continue;
    session.command.resize(length);
    session.command += command_cut_mark;
  }
}

}  // namespace

std::string encode(const ControlReply& reply) {
  std::string text = encode_whole(reply);
  if (text.size() <= reply_limit || !reply.status) return text;
  ControlReply shorter = reply;
  for (std::size_t length = 512; length > 0 && text.size() > reply_limit; length /= 2) {
    cut_commands(*shorter.status, length);
    text = encode_whole(shorter);
  }
  return text;
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
    reply.sessions = number<std::uint64_t>(value, "sessions");
    reply.error = value.value("error", "");
    reply.hint = value.value("hint", "");
    reply.pending = value.value("pending", std::vector<std::string>());
    if (value.contains("status")) reply.status = status_from(value.at("status"));
    return reply;
  } catch (const json::exception&) {
  } catch (const OutOfRange&) {
  }
  return fail("the supervisor's reply is malformed");
}

}  // namespace evojail
