#include "jail/launch.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "jail/init_descriptors.hpp"
#include "jail/init_protocol.hpp"
#include "jail/share_dir.hpp"
#include "kernel/channel.hpp"
#include "kernel/hardening.hpp"
#include "kernel/user_namespace.hpp"

namespace evojail {
namespace {

using Kind = InitMessage::Kind;

/// What can lie unread each way at the worst: for each of MAX_SESSIONS, at most 1000, its begin and
/// its end, and as much again of those that came before it. Where one of the two had to wait for
/// the other to read, both could wait for each other.
constexpr int most_messages = 4 * 1000;

/// Descriptors as init finds them (init_descriptors.hpp), by their numbers here.
struct InitDescriptors {
  int channel;
  int program;
};

Result<void> place(const InitDescriptors& here) {
  TRY(Fd opened, open_path("/dev/null", O_RDWR));
  // Its number may be another descriptor's place by the time that it would be closed here.
  const int null = opened.release();
  CHECK(keep_only(std::array{null, null, null, here.channel, here.program}));
  if (::fcntl(init_program, F_SETFD, FD_CLOEXEC) != 0) return fail_errno("placing", "init");
  return {};
}

/// Comes back only with an error.
Error execute_init(std::string name) {
  std::string own_name = "evojail-init";
  std::array<char*, 3> arguments{own_name.data(), name.data(), nullptr};
  std::array<char*, 1> environment{nullptr};
  ::syscall(SYS_execveat, init_program, "", arguments.data(), environment.data(), AT_EMPTY_PATH);
  return Error::system("executing", own_name, errno);
}

int become_init(const InitDescriptors& here, const std::string& name) {
  const auto placed = place(here);
  const InitMessage said = failure_of(placed ? execute_init(name) : placed.error());
  return send_packet(placed ? init_channel : here.channel, encode(said)) ? 1 : 2;
}

}  // namespace

Result<std::pair<Fd, Fd>> make_init_channel() {
  TRY(auto channel, channel_pair());
  CHECK(make_room(channel, most_messages));
  return channel;
}

Result<Launch> Launch::begin(const std::string& name, std::optional<int> cgroup) {
  TRY(const auto path, find_init());
  TRY(const Fd program, open_path(path, O_RDONLY));
  TRY(auto channel, make_init_channel());
  const InitDescriptors descriptors{channel.second.get(), program.get()};
  // The other namespaces are init's to make, beside what the supervisor does meanwhile.
  TRY(auto process,
      clone_process(CLONE_NEWPID, [&] { return become_init(descriptors, name); }, cgroup));
  return Launch(std::move(process), std::move(channel.first));
}

Result<void> Launch::go_on(const LaunchPlan& plan) {
  TRY(const Fd user_namespace, make_user_namespace(plan.base_uid, plan.processes));
  const std::string order = encode(InitMessage{.kind = Kind::plan, .text = encode(plan)});
  auto sent = send_packet(channel_.get(), order, {user_namespace.get()});
  // An init that has ended has said why: finish() hears it.
  if (!sent && sent.error().code() == EPIPE) return {};
  return sent;
}

Result<RunningInit> Launch::finish() && {
  TRY(auto packet, receive_packet(channel_.get()));
  if (!packet) {
    TRY(const auto status, process_.wait());
    return fail(std::string("the jail's init ended before it was ready, by ") +
                (status.exited ? "exit " : "signal ") + std::to_string(status.value));
  }
  TRY(auto message, decode_init_message(packet->bytes));
  if (message.kind == Kind::failed) {
    return std::unexpected(Error(std::move(message.text)).hint(message.hint));
  }
  if (message.kind != Kind::ready || packet->fds.size() != 2) {
    return fail("the jail's init said something else than that it is ready");
  }
  return RunningInit{std::move(process_), std::move(channel_), std::move(packet->fds[0]),
                     std::move(packet->fds[1])};
}

}  // namespace evojail
