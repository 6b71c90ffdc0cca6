#include "jail/supervisor_state.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "jail/supervisor_values.hpp"

namespace evojail {
namespace {

constexpr std::size_t state_limit = 32 << 20;

Result<void> keep_across_exec(int fd, bool keep) {
  if (::fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC) == 0) return {};
  return fail_errno("handing over", "descriptor " + std::to_string(fd));
}

/// From the beginning, whoever read it before.
Result<SupervisorValues> read_values(int memory) {
  if (::lseek(memory, 0, SEEK_SET) != 0) return fail_errno("rewinding", "the state");
  TRY(const auto text, read_all(memory, "state", state_limit));
  return decode_supervisor_values(text);
}

SupervisorValues values_of(const SupervisorState& state) {
  SupervisorValues values{.lock = state.lock.fd(),
                          .image = state.image.get(),
                          .image_id = state.image_id,
                          .base_uid = state.base_uid,
                          .weaknesses = state.weaknesses,
                          .since = state.since,
                          .pid = state.init.process.pid(),
                          .pidfd = state.init.process.pidfd(),
                          .channel = state.init.channel.get(),
                          .report = state.init.report.get(),
                          .mknod_listener = state.init.mknod_listener.get(),
                          .listener = state.listener.get(),
                          .control = state.control.get(),
                          .asker = state.asker.get(),
                          .last_session = state.last_session,
                          .commands = state.commands,
                          .host_settings = state.host_settings,
                          .settings = state.settings,
                          .wanted = state.wanted,
                          .launched = state.launched,
                          .pending = state.pending,
                          .push_pid = state.push_end.process.pid(),
                          .push_pidfd = state.push_end.process.pidfd(),
                          .push_output = state.push_end.output.get(),
                          .push_again = state.push_end.again};
  for (const auto& [id, session] : state.sessions) {
    values.sessions.push_back({.id = id,
                               .peer = session.peer,
                               .socket = session.socket.get(),
                               .log = session.log.get(),
                               .began = session.began,
                               .process = session.process,
                               .running = session.running,
                               .command = session.command,
                               .command_pid = session.command_pid,
                               .outcome = session.outcome,
                               .pushed = session.pushed,
                               .traffic = session.traffic});
  }
  return values;
}

/// From here on the descriptors are the state's.
SupervisorState state_of(SupervisorValues values, const std::string& lock_path) {
  SupervisorState state{
      .lock = FileLock::adopt(lock_path, Fd(values.lock)),
      .image = Fd(values.image),
      .image_id = std::move(values.image_id),
      .base_uid = values.base_uid,
      .weaknesses = std::move(values.weaknesses),
      .since = values.since,
      .init = {ChildProcess(values.pid, Fd(values.pidfd)), Fd(values.channel), Fd(values.report),
               Fd(values.mknod_listener)},
      .listener = Fd(values.listener),
      .control = Fd(values.control),
      .asker = Fd(values.asker),
      .last_session = values.last_session,
      .commands = values.commands,
      .sessions = {},
      .host_settings = std::move(values.host_settings),
      .settings = std::move(values.settings),
      .wanted = std::move(values.wanted),
      .launched = std::move(values.launched),
      .pending = std::move(values.pending),
      .push_end = {.process = ChildProcess(values.push_pid, Fd(values.push_pidfd)),
                   .output = Fd(values.push_output),
                   .again = values.push_again}};
  for (auto& session : values.sessions) {
    state.sessions.emplace(session.id, Session{.id = session.id,
                                               .peer = session.peer,
                                               .socket = Fd(session.socket),
                                               .log = Fd(session.log),
                                               .began = session.began,
                                               .process = session.process,
                                               .running = std::move(session.running),
                                               .command = std::move(session.command),
                                               .command_pid = session.command_pid,
                                               .outcome = std::move(session.outcome),
                                               .pushed = session.pushed,
                                               .traffic = session.traffic});
  }
  return state;
}

}  // namespace

Result<Fd> write_state(const SupervisorState& state) {
  Fd memory(::memfd_create("evojail-state", MFD_CLOEXEC));
  if (!memory) return fail_errno("making", "a memory file");
  CHECK(write_all(memory.get(), "state", encode(values_of(state))));
  return memory;
}

Result<void> check_state(int memory) {
  CHECK(read_values(memory));
  return {};
}

Result<std::string> peek_host_settings(int memory) {
  TRY(auto values, read_values(memory));
  return std::move(values.host_settings);
}

Result<void> keep_descriptors(const SupervisorState& state, bool across_exec) {
  for (const int fd : descriptors(values_of(state))) CHECK(keep_across_exec(fd, across_exec));
  return {};
}

Result<SupervisorState> take_over(Fd memory, const std::string& lock_path) {
  TRY(auto values, read_values(memory.get()));
  auto state = state_of(std::move(values), lock_path);
  CHECK(keep_descriptors(state, false));
  return state;
}

}  // namespace evojail
