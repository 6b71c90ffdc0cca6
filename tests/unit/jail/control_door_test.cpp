#include "jail/control_door.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>

#include "kernel/unix_socket.hpp"

namespace evojail {
namespace {

/// As if every descriptor that a process may have were open.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    const Fd next(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0));
    const rlimit none{static_cast<rlim_t>(next.get()), before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;
  ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

class ControlDoorTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
    socket_ = directory_ + "/control";
    listener_ = listen_seqpacket(socket_).value();
    ASSERT_TRUE(door_.open(listener_.get()));
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
  ControlDoor door_{loop_, [this](LogLevel, std::string_view) { ++lines_; },
                    [this](std::string_view, Fd) {
                      ++requests_;
                      loop_.stop();
                    }};
};

TEST_F(ControlDoorTest, LetsAVisitorWaitWhereThereIsNoDescriptorForIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "the door is root's";
  const Fd visitor = connect_seqpacket(socket_, std::chrono::seconds(1)).value();
  ASSERT_EQ(::write(visitor.get(), "hello", 5), 5);
  {
    const Fd always(::eventfd(1, EFD_CLOEXEC));
    int turns = 0;
    ASSERT_TRUE(loop_.watch(always.get(), [&] {
      if (++turns == 1000) loop_.stop();
    }));
    const NoMoreDescriptors limit;
    ASSERT_TRUE(loop_.run());
    loop_.unwatch(always.get());
  }
  EXPECT_GE(lines_, 1);
  EXPECT_LT(lines_, 100);
  EXPECT_EQ(requests_, 0);
  ASSERT_TRUE(loop_.run());
  EXPECT_EQ(requests_, 1);
}

}  // namespace
}  // namespace evojail
