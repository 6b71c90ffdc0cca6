#include "service/notify_socket.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail/notify.hpp"

namespace evojail {
namespace {

/// Sends one notification from a child. @return the child's pid, which has ended.
pid_t notify_from_child(const std::string& address, const char* text) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("NOTIFY_SOCKET", address.c_str(), 1);
    notify_manager(text);
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  return child;
}

TEST(NotifySocket, HearsWhatTheSenderSays) {
  auto socket = NotifySocket::open();
  ASSERT_TRUE(socket) << socket.error().message();
  const pid_t child = notify_from_child(socket->address(), "READY=1\nSTATUS=up");
  const auto text = socket->receive(child);
  ASSERT_TRUE(text && *text);
  EXPECT_EQ(**text, "READY=1\nSTATUS=up");
  const auto more = socket->receive(child);
  ASSERT_TRUE(more);
  EXPECT_FALSE(*more);
}

// Anybody on the host can write to an abstract socket; the message above is the positive control.
TEST(NotifySocket, DropsWhatOthersSay) {
  auto socket = NotifySocket::open();
  ASSERT_TRUE(socket) << socket.error().message();
  notify_from_child(socket->address(), "READY=1");
  const auto text = socket->receive(::getpid());
  ASSERT_TRUE(text);
  EXPECT_FALSE(*text);
}

TEST(NotifySocket, HasANameOfItsOwn) {
  auto one = NotifySocket::open();
  auto other = NotifySocket::open();
  ASSERT_TRUE(one && other);
  EXPECT_NE(one->address(), other->address());
  EXPECT_EQ(one->address().front(), '@');
}

}  // namespace
}  // namespace evojail
