#include "jail/last_session.hpp"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"

namespace evojail {
namespace {

using nlohmann::json;

std::string directory(const HostSettings& host) { return host.datadir + "/last-session"; }

}  // namespace

Result<void> write_last_session(const HostSettings& host, const std::string& name,
                                const LastSession& session) {
  const json value{{"schema_version", 1},          {"peer", session.peer},
                   {"began", session.began},       {"ended", session.ended},
                   {"received", session.received}, {"sent", session.sent},
                   {"command", session.command},   {"outcome", session.outcome}};
  CHECK(make_directories(directory(host), 0700));
  return replace_file_unsynced(directory(host) + "/" + name, value.dump() + "\n", 0600);
}

Result<std::optional<LastSession>> read_last_session(const HostSettings& host,
                                                     const std::string& name) {
  const std::string path = directory(host) + "/" + name;
  TRY(const bool there, has_path(path));
  if (!there) return std::nullopt;
  TRY(const auto text, read_file(path));
  try {
    const json value = json::parse(text);
    return LastSession{
        value.at("peer").get<std::string>(),   value.at("began").get<std::int64_t>(),
        value.at("ended").get<std::int64_t>(), value.at("received").get<std::uint64_t>(),
        value.at("sent").get<std::uint64_t>(), value.at("command").get<std::string>(),
        value.at("outcome").get<std::string>()};
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

void forget_last_session(const HostSettings& host, const std::string& name) {
  ::unlink((directory(host) + "/" + name).c_str());
}

}  // namespace evojail
