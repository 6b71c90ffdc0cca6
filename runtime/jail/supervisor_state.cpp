#include "jail/supervisor_state.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace evojail {
namespace {

using nlohmann::json;

constexpr std::size_t state_limit = 16 << 20;

Result<void> keep_across_exec(int fd, bool keep) {
  if (fd < 0) return {};
  if (::fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC) == 0) return {};
  return fail_errno("handing over", "descriptor " + std::to_string(fd));
}

/// Every descriptor of the state.
std::vector<int> descriptors(const SupervisorState& state) {
  std::vector<int> fds{
      state.lock.fd(),          state.image.get(),       state.init.process.pidfd(),
      state.init.channel.get(), state.init.report.get(), state.init.mknod_listener.get(),
      state.listener.get(),     state.control.get(),     state.asker.get()};
  for (const auto& [id, session] : state.sessions) {
    fds.push_back(session.socket.get());
    fds.push_back(session.log.get());
  }
  return fds;
}

json to_json(const Session& session) {
  return {{"id", session.id},           {"address", to_string(session.peer.address)},
          {"port", session.peer.port},  {"socket", session.socket.get()},
          {"log", session.log.get()},   {"began", session.began},
          {"command", session.command}, {"outcome", session.outcome}};
}

Fd fd_from(const json& value, const char* member) { return Fd(value.at(member).get<int>()); }

Result<Session> session_from(const json& value) {
  Session session;
  TRY(session.peer.address, parse_prefix(value.at("address").get<std::string>()));
  session.peer.port = value.at("port").get<std::uint16_t>();
  session.id = value.at("id").get<std::uint32_t>();
  session.socket = fd_from(value, "socket");
  session.log = fd_from(value, "log");
  session.began = value.at("began").get<std::int64_t>();
  session.command = value.at("command").get<std::string>();
  session.outcome = value.at("outcome").get<std::string>();
  return session;
}

Result<SupervisorState> state_from(const json& value, const std::string& lock_path) {
  SupervisorState state{
      .lock = FileLock::adopt(lock_path, fd_from(value, "lock")),
      .image = fd_from(value, "image"),
      .image_id = value.at("image_id").get<std::string>(),
      .base_uid = value.at("base_uid").get<std::uint32_t>(),
      .limited_by_cgroup = value.at("limited_by_cgroup").get<bool>(),
      .since = value.at("since").get<std::int64_t>(),
      .init = {ChildProcess(value.at("pid").get<pid_t>(), fd_from(value, "pidfd")),
               fd_from(value, "channel"), fd_from(value, "report"),
               fd_from(value, "mknod_listener")},
      .listener = fd_from(value, "listener"),
      .control = fd_from(value, "control"),
      .asker = fd_from(value, "asker"),
      .last_session = value.at("last_session").get<std::uint32_t>(),
      .sessions = {}};
  for (const auto& entry : value.at("sessions")) {
    TRY(auto session, session_from(entry));
    const auto id = session.id;
    state.sessions.emplace(id, std::move(session));
  }
  return state;
}

}  // namespace

Result<Fd> hand_over(const SupervisorState& state) {
  json sessions = json::array();
  for (const auto& [id, session] : state.sessions) sessions.push_back(to_json(session));
  const json value{{"lock", state.lock.fd()},
                   {"image", state.image.get()},
                   {"image_id", state.image_id},
                   {"base_uid", state.base_uid},
                   {"limited_by_cgroup", state.limited_by_cgroup},
                   {"since", state.since},
                   {"pid", state.init.process.pid()},
                   {"pidfd", state.init.process.pidfd()},
                   {"channel", state.init.channel.get()},
                   {"report", state.init.report.get()},
                   {"mknod_listener", state.init.mknod_listener.get()},
                   {"listener", state.listener.get()},
                   {"control", state.control.get()},
                   {"asker", state.asker.get()},
                   {"last_session", state.last_session},
                   {"sessions", sessions}};
  Fd memory(::memfd_create("evojail-state", MFD_CLOEXEC));
  if (!memory) return fail_errno("making", "a memory file");
  CHECK(write_all(memory.get(), "state", value.dump()));
  if (::lseek(memory.get(), 0, SEEK_SET) != 0) return fail_errno("rewinding", "the state");
  CHECK(keep_descriptors(state, true));
  CHECK(keep_across_exec(memory.get(), true));
  return memory;
}

Result<void> keep_descriptors(const SupervisorState& state, bool across_exec) {
  for (const int fd : descriptors(state)) CHECK(keep_across_exec(fd, across_exec));
  return {};
}

Result<SupervisorState> take_over(Fd memory, const std::string& lock_path) {
  TRY(const auto text, read_all(memory.get(), "state", state_limit));
  try {
    TRY(auto state, state_from(json::parse(text), lock_path));
    CHECK(keep_descriptors(state, false));
    return state;
  } catch (const json::exception& error) {
    return fail(std::string("the state that was handed over is malformed: ") + error.what());
  }
}

}  // namespace evojail
