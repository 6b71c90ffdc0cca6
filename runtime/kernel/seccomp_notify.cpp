#include "kernel/seccomp_notify.hpp"

#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>

namespace evojail {

Result<std::optional<SyscallNotification>> receive_notification(int listener) {
  // Before Linux 6.11 NOTIF_RECV waits for ever once all who could call are gone.
  pollfd calls{.fd = listener, .events = POLLIN, .revents = 0};
  if (::poll(&calls, 1, 0) == 0) return std::nullopt;
  if ((calls.revents & (POLLIN | POLLNVAL)) == 0) return std::nullopt;
  seccomp_notif request{};
  if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) {
    if (errno == ENOENT || errno == EINTR || errno == EAGAIN) return std::nullopt;
    return fail_errno("receiving", "a system call notification");
  }
  SyscallNotification notification{
      request.id, static_cast<pid_t>(request.pid), request.data.nr, {}};
  std::ranges::copy(request.data.args, notification.arguments.begin());
  return notification;
}

bool still_waits(int listener, std::uint64_t id) {
  return ::ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

Result<void> answer_notification(int listener, std::uint64_t id, int error) {
  seccomp_notif_resp response{};
  response.id = id;
  response.error = -error;
  if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0 || errno == ENOENT) return {};
  return fail_errno("answering", "a system call notification");
}

}  // namespace evojail
