#include "store/ports.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <filesystem>

#include "base/fd.hpp"
#include "config/jail_settings.hpp"
#include "support/store_world.hpp"

namespace evojail::test {
namespace {

using ::testing::HasSubstr;

class PortsTest : public ::testing::Test {
 protected:
  PortsTest() {
    host_.datadir = directory_ / "data";
    host_.rundir = directory_ / "run";
    host_.logdir = directory_ / "log";
    host_.confdir = directory_ / "conf";
  }
  void make_conf(const std::string& name, std::uint16_t port) {
    std::filesystem::create_directories(host_.confdir + "/" + name + ".d");
    write_file(host_.confdir + "/" + name + ".d/jail.conf", new_jail_settings(port, false));
  }

  TempDirectory directory_;
  HostSettings host_;
};

/// A listening socket of this host, on a port that the kernel chose.
class Listener {
 public:
  Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_.get(), generic, length), 0);
    EXPECT_EQ(::listen(socket_.get(), 1), 0);
    EXPECT_EQ(::getsockname(socket_.get(), generic, &length), 0);
    port_ = ntohs(address.sin_port);
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Fd socket_;
  std::uint16_t port_ = 0;
};

TEST_F(PortsTest, EveryJailsPortIsKnown) {
  make_conf("web1", 2222);
  make_conf("web2", 2300);
  const auto ports = used_ports(host_);
  ASSERT_TRUE(ports);
  EXPECT_THAT(*ports,
              ::testing::ElementsAre(::testing::Pair(2222, "web1"), ::testing::Pair(2300, "web2")));
}

TEST_F(PortsTest, AnUnreadableJailIsAnError) {
  make_conf("web1", 2222);
  write_file(host_.confdir + "/web1.d/jail.conf", "PORT=what\n");
  EXPECT_FALSE(used_ports(host_));
  EXPECT_FALSE(choose_port(host_));
}

TEST_F(PortsTest, AutoIsTheOneAfterTheHighest) {
  const auto first = choose_port(host_);
  ASSERT_TRUE(first) << first.error().message();
  EXPECT_GE(*first, 2222);
  make_conf("web1", 23000);
  make_conf("web2", 2500);
  EXPECT_GE(choose_port(host_).value(), 23001);
}

TEST_F(PortsTest, BehindTheLastItBeginsAgain) {
  make_conf("web1", 65535);
  make_conf("web2", 2222);
  const auto port = choose_port(host_);
  ASSERT_TRUE(port);
  EXPECT_GT(*port, 2222);
  EXPECT_LT(*port, 65535);
}

TEST_F(PortsTest, AutoPassesOverWhatTheHostListensOn) {
  const Listener listener;
  make_conf("web1", static_cast<std::uint16_t>(listener.port() - 1));
  EXPECT_NE(choose_port(host_).value(), listener.port());
}

TEST_F(PortsTest, TheHolderIsNamed) {
  make_conf("web1", 24000);
  const auto taken = check_port_free(host_, "web2", 24000);
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message(), HasSubstr("web1"));
  EXPECT_TRUE(check_port_free(host_, "web1", 24000));
  EXPECT_FALSE(check_port_free(host_, "web1", 0));
}

TEST_F(PortsTest, WhatTheHostListensOnIsNotFree) {
  std::uint16_t port = 0;
  {
    const Listener listener;
    port = listener.port();
    EXPECT_FALSE(check_port_free(host_, "web1", port));
    make_conf("web1", port);
    EXPECT_TRUE(check_port_free(host_, "web1", port)) << "its own, which it listens on itself";
    std::filesystem::remove_all(host_.confdir);
  }
  EXPECT_TRUE(check_port_free(host_, "web1", port));
}

}  // namespace
}  // namespace evojail::test
