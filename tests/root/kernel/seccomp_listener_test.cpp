// The filter that sends device nodes to the supervisor, below a session's own: the kernel runs both
// and takes the more restrictive answer.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <optional>

#include "kernel/capabilities.hpp"
#include "kernel/seccomp.hpp"
#include "kernel/seccomp_notify.hpp"
#include "support/profiles.hpp"

namespace evojail {
namespace {

constexpr int kAnswer = 123;  // what the listener answers, and nobody else

void send_fd(int channel, int fd) {
  char byte = 'x';
  iovec data{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
  sendmsg(channel, &message, 0);
}

Fd receive_fd(int channel) {
  char byte = 0;
  iovec data{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != 1) return {};
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr) return {};
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof(fd));
  return Fd(fd);
}

/// A child behind the notifying filter, and behind `session` on top of it, that runs `body`.
class Caller {
 public:
  Caller(std::optional<Filter> session, const std::function<int()>& body) {
    std::array<int, 2> pair{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) std::abort();
    const Fd ours(pair[0]);
    const Fd theirs(pair[1]);
    pid_ = fork();
    if (pid_ == 0) _exit(child(theirs.get(), session, body));
    listener_ = receive_fd(ours.get());
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  ~Caller() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }

  /// Receives one notification; nothing where the child ended without any.
  std::optional<seccomp_notif> receive() {
    pollfd waiting{.fd = listener_.get(), .events = POLLIN, .revents = 0};
    if (poll(&waiting, 1, -1) != 1 || (waiting.revents & POLLIN) == 0) return std::nullopt;
    seccomp_notif request{};
    if (ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) return std::nullopt;
    return request;
  }

  void answer(std::uint64_t id) {
    seccomp_notif_resp response{.id = id, .val = 0, .error = -kAnswer, .flags = 0};
    ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &response);
  }

  void signal(int number) const { kill(pid_, number); }
  [[nodiscard]] int listener() const { return listener_.get(); }
  [[nodiscard]] bool has_listener() const { return static_cast<bool>(listener_); }

  int exit_code() {
    int status = 0;
    if (waitpid(pid_, &status, 0) != pid_) return -1;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
  }

 private:
  static int child(int channel, const std::optional<Filter>& session,
                   const std::function<int()>& body) {
    const auto notifying = mknod_notify_filter();
    if (!notifying || !set_no_new_privs()) return 250;
    auto listener = install_filter_with_listener(*notifying);
    if (!listener) return 251;
    send_fd(channel, listener->get());
    listener->reset();
    if (session && !install_filter(*session)) return 252;
    return body();
  }

  pid_t pid_ = -1;
  Fd listener_;
};

int make_device() {
  errno = 0;
  const int made = mknod("/nonexistent/node", S_IFCHR | 0600, makedev(1, 3));
  return made == 0 ? 0 : errno;
}

Filter session_filter(bool notify) {
  return test::compiled(test::shipped_profile("default"), {.notify_mknod = notify});
}

TEST(MknodNotification, ReachesTheListenerThroughTheSessionsFilter) {
  Caller caller(session_filter(true), make_device);
  ASSERT_TRUE(caller.has_listener());
  const auto request = caller.receive();
  ASSERT_TRUE(request);
  caller.answer(request->id);
  EXPECT_EQ(caller.exit_code(), kAnswer);
}

TEST(MknodNotification, IsKeptBackByASessionsFilterThatDenies) {
  Caller caller(session_filter(false), make_device);
  ASSERT_TRUE(caller.has_listener());
  EXPECT_FALSE(caller.receive());
  EXPECT_EQ(caller.exit_code(), EPERM);
}

TEST(MknodNotification, LeavesOtherTypesToTheKernel) {
  Caller caller(session_filter(true),
                [] { return mknod("/nonexistent/node", S_IFIFO | 0600, 0) != 0 ? errno : 0; });
  ASSERT_TRUE(caller.has_listener());
  EXPECT_FALSE(caller.receive());
  EXPECT_EQ(caller.exit_code(), ENOENT);
}

/// SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: once received, a signal neither fails nor repeats the
/// call.
TEST(MknodNotification, ASignalNeitherFailsNorRepeatsTheCall) {
  Caller caller(session_filter(true), [] {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    if (sigaction(SIGUSR1, &action, nullptr) != 0) return 253;
    return make_device();
  });
  ASSERT_TRUE(caller.has_listener());
  const auto request = caller.receive();
  ASSERT_TRUE(request);
  for (int i = 0; i < 100; ++i) caller.signal(SIGUSR1);
  caller.answer(request->id);
  EXPECT_FALSE(caller.receive()) << "the call was made again";
  EXPECT_EQ(caller.exit_code(), kAnswer);
}

TEST(MknodNotification, NeedsSomebodyWhoListens) {
  const pid_t child = fork();
  if (child == 0) {
    const auto notifying = mknod_notify_filter();
    if (!notifying || !set_no_new_privs()) _exit(250);
    auto listener = install_filter_with_listener(*notifying);
    if (!listener) _exit(251);
    listener->reset();
    _exit(make_device());
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), ENOSYS);
}

/// Some kernels make the receiver wait for ever then.
TEST(MknodNotification, NobodyWaitsForCallersThatAreGone) {
  Caller caller(session_filter(true), [] { return 7; });
  ASSERT_TRUE(caller.has_listener());
  EXPECT_EQ(caller.exit_code(), 7);
  const auto none = receive_notification(caller.listener());
  ASSERT_TRUE(none) << none.error().message();
  EXPECT_FALSE(*none);
}

TEST(MknodNotification, WhatIsNoListenerIsAnError) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd out(ends[0]);
  const Fd in(ends[1]);
  ASSERT_EQ(write(in.get(), "x", 1), 1);
  const auto none = receive_notification(out.get());
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code(), ENOTTY);
}

/// A session cannot make a listener of its own below ours (and its filter denies seccomp(2)
/// anyway).
TEST(MknodNotification, HasOneListenerAndNoSecond) {
  Caller caller(std::nullopt, [] {
    const auto second = install_filter_with_listener(*mknod_notify_filter());
    return second ? 0 : second.error().code();
  });
  ASSERT_TRUE(caller.has_listener());
  EXPECT_FALSE(caller.receive());
  EXPECT_EQ(caller.exit_code(), EBUSY);
}

}  // namespace
}  // namespace evojail
