#include "jail/control_door.hpp"

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <string>

#include "kernel/unix_socket.hpp"

namespace evojail {
namespace {

class ControlDoorTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
    socket_ = directory_ + "/control";
    listener_ = listen_seqpacket(socket_).value();
  }
  void TearDown() override {
    ::unlink(socket_.c_str());
    ::rmdir(directory_.c_str());
  }

  std::string directory_ = testing::TempDir() + "evojail-control.XXXXXX";
  std::string socket_;
  Fd listener_;
  EventLoop loop_ = EventLoop::make().value();
  int lines_ = 0;
  int requests_ = 0;
};

// Not by a limit on descriptors: UBSan needs some of its own to look at an object.
TEST_F(ControlDoorTest, LetsAVisitorWaitWhileAcceptFails) {
  const Fd visitor = connect_seqpacket(socket_, std::chrono::seconds(1)).value();
  ASSERT_EQ(::write(visitor.get(), "hello", 5), 5);
  const Fd door(::eventfd(1, EFD_CLOEXEC));  // readable, and accept(2) fails on it
  ControlDoor broken(
      loop_, [this](LogLevel, std::string_view) { ++lines_; },
      [this](std::string_view, Fd) {
        ++requests_;
        loop_.stop();
      });
  ASSERT_TRUE(broken.open(door.get()));
  const Fd always(::eventfd(1, EFD_CLOEXEC));
  int turns = 0;
  ASSERT_TRUE(loop_.watch(always.get(), [&] {
    if (++turns == 1000) loop_.stop();
  }));
  ASSERT_TRUE(loop_.run());
  loop_.unwatch(always.get());
  EXPECT_GE(lines_, 1);
  EXPECT_LT(lines_, 100);
  EXPECT_EQ(requests_, 0);
  ASSERT_EQ(::dup2(listener_.get(), door.get()), door.get());
  ASSERT_TRUE(loop_.run());
  EXPECT_EQ(requests_, 1);
}

}  // namespace
}  // namespace evojail
