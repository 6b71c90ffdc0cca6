#include "jail/supervisor_values.hpp"

#include <unistd.h>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace evojail {
namespace {

using nlohmann::json;

// One more where a member goes or gets another meaning.
constexpr int state_version = 1;

constexpr int most_descriptors = 1 << 20;  // fs.nr_open, proc(5)

/// What a member must be, and is not.
struct Malformed {
  std::string what;
};

/// nlohmann's own conversion wraps around silently.
template <class T>
T number(const json& object, const char* member, T low, T high) {
  const json& value = object.at(member);
  if (value.is_number_integer()) {
    const bool fits = value.is_number_unsigned() ? std::in_range<T>(value.get<std::uint64_t>())
                                                 : std::in_range<T>(value.get<std::int64_t>());
    const T given = value.get<T>();
    if (fits && given >= low && given <= high) return given;
  }
  throw Malformed{std::string(member) + " is out of range"};
}

template <class T>
T number(const json& object, const char* member) {
  return number<T>(object, member, std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
}

int descriptor(const json& object, const char* member) {
  return number<int>(object, member, STDERR_FILENO + 1, most_descriptors);
}

int optional_descriptor(const json& object, const char* member) {
  return object.value(member, json(-1)) == -1 ? -1 : descriptor(object, member);
}

template <class T>
T optional_number(const json& object, const char* member) {
  return object.contains(member) ? number<T>(object, member) : T{};
}

json to_json(const SessionValues& session) {
  json value{{"id", session.id},           {"address", to_string(session.peer.address)},
             {"port", session.peer.port},  {"socket", session.socket},
             {"log", session.log},         {"began", session.began},
             {"process", session.process}, {"running", json::array()},
             {"command", session.command}, {"command_pid", session.command_pid},
             {"outcome", session.outcome}, {"pushed", session.pushed}};
  for (const auto& command : session.running) {
    value["running"].push_back({{"pid", command.pid}, {"command", command.text}});
  }
  if (session.traffic) {
    value["traffic"] = {{"received", session.traffic->received}, {"sent", session.traffic->sent}};
  }
  return value;
}

SessionValues session_from(const json& value) {
  SessionValues session;
  auto address = parse_prefix(value.at("address").get<std::string>());
  if (!address) throw Malformed{address.error().message()};
  session.peer.address = *address;
  session.peer.port = number<std::uint16_t>(value, "port");
  session.id = number<std::uint32_t>(value, "id");
  session.socket = descriptor(value, "socket");
  session.log = descriptor(value, "log");
  session.began = optional_number<std::int64_t>(value, "began");
  session.process = optional_number<pid_t>(value, "process");
  for (const auto& command : value.value("running", json::array())) {
    session.running.push_back(
        {number<int>(command, "pid"), command.at("command").get<std::string>()});
  }
  session.command = value.value("command", "");
  session.command_pid = optional_number<int>(value, "command_pid");
  session.outcome = value.value("outcome", "");
  session.pushed = value.value("pushed", false);
  if (value.contains("traffic")) {
    session.traffic = Traffic{number<std::uint64_t>(value["traffic"], "received"),
                              number<std::uint64_t>(value["traffic"], "sent")};
  }
  return session;
}

SupervisorValues values_from(const json& value) {
  if (const int version = optional_number<int>(value, "version"); version > state_version) {
    throw Malformed{"it is of version " + std::to_string(version) + ", known is " +
                    std::to_string(state_version)};
  }
  SupervisorValues values;
  values.lock = descriptor(value, "lock");
  values.image = optional_descriptor(value, "image");
  values.image_id = value.value("image_id", "");
  values.base_uid = number<std::uint32_t>(value, "base_uid");
  values.weaknesses = value.value("weaknesses", std::vector<std::string>());
  values.since = optional_number<std::int64_t>(value, "since");
  values.pid = number<pid_t>(value, "pid", 2, std::numeric_limits<pid_t>::max());
  values.pidfd = descriptor(value, "pidfd");
  values.channel = descriptor(value, "channel");
  values.report = descriptor(value, "report");
  values.mknod_listener = optional_descriptor(value, "mknod_listener");
  values.listener = descriptor(value, "listener");
  values.control = descriptor(value, "control");
  values.asker = optional_descriptor(value, "asker");
  values.last_session = optional_number<std::uint32_t>(value, "last_session");
  values.commands = optional_number<std::uint64_t>(value, "commands");
  values.host_settings = value.value("host_settings", "");
  values.settings = value.value("settings", "");
  values.wanted = value.value("wanted", "");
  values.launched = value.value("launched", std::map<std::string, std::string>());
  values.pending = value.value("pending", std::vector<std::string>());
  const json push = value.value("push_end", json::object());
  values.push_pid = optional_number<pid_t>(push, "pid");
  values.push_pidfd = optional_descriptor(push, "pidfd");
  values.push_output = optional_descriptor(push, "output");
  values.push_again = push.value("again", false);
  std::set<std::uint32_t> ids;
  for (const auto& entry : value.value("sessions", json::array())) {
    values.sessions.push_back(session_from(entry));
    values.last_session = std::max(values.last_session, values.sessions.back().id);
    if (!ids.insert(values.sessions.back().id).second) throw Malformed{"a session comes twice"};
  }
  const auto fds = descriptors(values);
  if (std::set(fds.begin(), fds.end()).size() != fds.size()) {
    throw Malformed{"a descriptor comes twice"};
  }
  return values;
}

}  // namespace

std::vector<int> descriptors(const SupervisorValues& values) {
  std::vector<int> fds{values.lock,   values.image,          values.pidfd,      values.channel,
                       values.report, values.mknod_listener, values.listener,   values.control,
                       values.asker,  values.push_pidfd,     values.push_output};
  for (const auto& session : values.sessions) {
    fds.push_back(session.socket);
    fds.push_back(session.log);
  }
  std::erase(fds, -1);
  return fds;
}

std::string encode(const SupervisorValues& values) {
  json sessions = json::array();
  for (const auto& session : values.sessions) sessions.push_back(to_json(session));
  const json value{{"version", state_version},
                   {"lock", values.lock},
                   {"image", values.image},
                   {"image_id", values.image_id},
                   {"base_uid", values.base_uid},
                   {"weaknesses", values.weaknesses},
                   {"since", values.since},
                   {"pid", values.pid},
                   {"pidfd", values.pidfd},
                   {"channel", values.channel},
                   {"report", values.report},
                   {"mknod_listener", values.mknod_listener},
                   {"listener", values.listener},
                   {"control", values.control},
                   {"asker", values.asker},
                   {"last_session", values.last_session},
                   {"commands", values.commands},
                   {"sessions", sessions},
                   {"host_settings", values.host_settings},
                   {"settings", values.settings},
                   {"wanted", values.wanted},
                   {"launched", values.launched},
                   {"pending", values.pending},
                   {"push_end",
                    {{"pid", values.push_pid},
                     {"pidfd", values.push_pidfd},
                     {"output", values.push_output},
                     {"again", values.push_again}}}};
  return value.dump(-1, ' ', true, json::error_handler_t::replace);
}

Result<SupervisorValues> decode_supervisor_values(std::string_view text) {
  const std::string context = "the state that was handed over is malformed: ";
  try {
    return values_from(json::parse(text));
  } catch (const Malformed& error) {
    return fail(context + error.what);
  } catch (const json::exception& error) {
    return fail(context + error.what());
  }
}

}  // namespace evojail
