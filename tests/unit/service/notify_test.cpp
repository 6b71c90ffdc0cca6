#include "jail/notify.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

namespace evojail {
namespace {

Fd stream_socket(bool listening) {
  Fd socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (listening) ::listen(socket.get(), 1);
  return socket;
}

/// What take_listener() says in a process that was passed `socket` as systemd passes one.
int exit_of(int socket, const char* count, pid_t process, const std::function<bool()>& holds) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::dup2(socket, 3) != 3) ::_exit(2);
    ::setenv("LISTEN_FDS", count, 1);
    ::setenv("LISTEN_PID", std::to_string(process == 0 ? ::getpid() : process).c_str(), 1);
    ::_exit(holds() ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

bool takes_it() {
  const auto taken = take_listener();
  return taken && *taken && (*taken)->get() == 3 && (::fcntl(3, F_GETFD) & FD_CLOEXEC) != 0 &&
         (::fcntl(3, F_GETFL) & O_NONBLOCK) != 0 && ::getenv("LISTEN_FDS") == nullptr &&
         ::getenv("LISTEN_PID") == nullptr;
}

bool finds_none() {
  const auto taken = take_listener();
  return taken && !*taken;
}

bool refuses() { return !take_listener(); }

TEST(PassedListener, IsTakenOutOfTheEnvironment) {
  EXPECT_EQ(exit_of(stream_socket(true).get(), "1", 0, takes_it), 0);
}

TEST(PassedListener, OfAnotherProcessIsNotThisOnes) {
  EXPECT_EQ(exit_of(stream_socket(true).get(), "1", 1, finds_none), 0);
}

TEST(PassedListener, IsOneThatListens) {
  EXPECT_EQ(exit_of(stream_socket(false).get(), "1", 0, refuses), 0);
  const Fd datagrams(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(exit_of(datagrams.get(), "1", 0, refuses), 0);
}

TEST(PassedListener, IsTheOnlyOne) {
  EXPECT_EQ(exit_of(stream_socket(true).get(), "2", 0, refuses), 0);
}

/// What is left of NOTIFY_SOCKET in a process whose environment says so of systemd's child.
int keeps_notify_socket(pid_t executed) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("NOTIFY_SOCKET", "@00000", 1);
    ::setenv("SYSTEMD_EXEC_PID", std::to_string(executed == 0 ? ::getpid() : executed).c_str(), 1);
    forget_foreign_manager();
    ::_exit(::getenv("NOTIFY_SOCKET") != nullptr ? 1 : 0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

TEST(ServiceManager, IsNotifiedByTheProcessThatItExecutedAlone) {
  EXPECT_EQ(keeps_notify_socket(0), 1);
  EXPECT_EQ(keeps_notify_socket(::getpid()), 0);
}

}  // namespace
}  // namespace evojail
