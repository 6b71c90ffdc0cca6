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

// The cgroup namespace comes from init itself: its root is the cgroup of the process that makes it.
constexpr std::uint64_t namespaces =
    CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;

/// What can lie unread each way at the worst: for each of MAX_SESSIONS, at most 1000, its begin and
/// its end, and as much again of those that came before it. Where one of the two had to wait for
/// the other to read, both could wait for each other.
constexpr int most_messages = 4 * 1000;

/// init's descriptors in their places, the program behind them, and nothing else of the
/// supervisor's.
Result<void> place_descriptors(std::array<int, 3> descriptors) {
  TRY(const Fd null, open_path("/dev/null", O_RDWR));
  // Above the others first, so that none is overwritten before it is in its place.
  for (int& fd : descriptors) {
    fd = ::fcntl(fd, F_DUPFD, 64);
    if (fd < 0) return fail_errno("duplicating", "init's descriptors");
  }
  for (int fd = 0; fd < init_channel; ++fd) {
    if (::dup2(null.get(), fd) < 0) return fail_errno("placing", "/dev/null");
  }
  const auto [channel, user_namespace, program] = descriptors;
  if (::dup2(channel, init_channel) < 0 || ::dup2(user_namespace, init_user_namespace) < 0 ||
      ::dup3(program, init_program, O_CLOEXEC) < 0) {
    return fail_errno("placing", "init's descriptors");
  }
  return close_descriptors_from(init_program + 1);
}

/// Comes back only with an error.
Error execute_init(std::string name) {
  std::string own_name = "evojail-init";
  std::array<char*, 3> arguments{own_name.data(), name.data(), nullptr};
  std::array<char*, 1> environment{nullptr};
  ::syscall(SYS_execveat, init_program, "", arguments.data(), environment.data(), AT_EMPTY_PATH);
  return Error::system("executing", own_name, errno);
}

int become_init(const std::array<int, 3>& descriptors, const std::string& name) {
  const auto placed = place_descriptors(descriptors);
  const InitMessage said = failure_of(placed ? execute_init(name) : placed.error());
  return send_packet(placed ? init_channel : descriptors[0], encode(said)) ? 1 : 2;
}

}  // namespace

Result<std::pair<Fd, Fd>> make_init_channel() {
  TRY(auto channel, channel_pair());
  CHECK(make_room(channel, most_messages));
  return channel;
}

Result<Launch> Launch::begin(const LaunchPlan& plan, std::optional<int> cgroup) {
  TRY(const auto path, find_init());
  TRY(const Fd program, open_path(path, O_RDONLY));
  TRY(const Fd user_namespace, make_user_namespace(plan.base_uid, plan.processes));
  TRY(auto channel, make_init_channel());
  const std::array descriptors{channel.second.get(), user_namespace.get(), program.get()};
  TRY(auto process,
      clone_process(namespaces, [&] { return become_init(descriptors, plan.name); }, cgroup));
  CHECK(send_packet(channel.first.get(),
                    encode(InitMessage{.kind = Kind::plan, .text = encode(plan)})));
  return Launch(std::move(process), std::move(channel.first));
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
