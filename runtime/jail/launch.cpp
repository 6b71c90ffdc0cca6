#include "jail/launch.hpp"

#include <sched.h>

#include "jail/init.hpp"
#include "jail/init_protocol.hpp"
#include "kernel/channel.hpp"
#include "kernel/user_namespace.hpp"

namespace evojail {
namespace {

using Kind = InitMessage::Kind;

// The cgroup namespace comes from init itself: its root is the cgroup of the process that makes it.
constexpr std::uint64_t namespaces =
    CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;

}  // namespace

Result<Launch> Launch::begin(const LaunchPlan& plan, std::optional<int> cgroup) {
  TRY(const Fd user_namespace, make_user_namespace(plan.base_uid, plan.processes));
  TRY(auto channel, channel_pair());
  TRY(auto process,
      clone_process(
          namespaces, [&] { return run_init(plan, channel.second.get(), user_namespace.get()); },
          cgroup));
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
  if (message.kind != Kind::ready || packet->fds.empty()) {
    return fail("the jail's init said something else than that it is ready");
  }
  RunningInit init{std::move(process_), std::move(channel_), std::move(packet->fds[0]), Fd()};
  if (packet->fds.size() > 1) init.mknod_listener = std::move(packet->fds[1]);
  return init;
}

}  // namespace evojail
