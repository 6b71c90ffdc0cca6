// `evojail firewall --watch`: one for the host, and rules that vanish come back.

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>

#include <fstream>

#include "kernel/firewall.hpp"
#include "monitor/wanted_firewall.hpp"
#include "root/cli/program.hpp"

namespace evojail::test {
namespace {

using testing::HasSubstr;

using FirewallWatchCommand = Program;

bool in_place(const HostSettings& host) {
  const auto wanted = wanted_firewall(host);
  if (!wanted || !wanted->errors.empty()) return false;
  const auto drift = Firewall(host.firewall_table).compare(wanted->jails);
  return drift && drift->none();
}

TEST_F(FirewallWatchCommand, PutsRulesBack) {
  must({"init", "web1"});
  must({"ip", "web1", "10.99.0.2"});
  ASSERT_TRUE(in_place(host()));
  test::run("nft flush ruleset");
  ASSERT_FALSE(in_place(host()));
  Running watch = begin({"firewall", "--watch"});
  EXPECT_TRUE(eventually([this] { return in_place(host()); })) << "not at the start";
  test::run("nft flush ruleset");
  EXPECT_TRUE(eventually([this] { return in_place(host()); })) << "not after a flush";
  test::run("nft delete element inet evojail jail/web1/allow4 '{ 10.99.0.2 }'");
  EXPECT_TRUE(eventually([this] { return in_place(host()); })) << "not after one address was gone";
  // A change of the settings is no tampering.
  must({"ip", "web1", "10.99.0.3"});
  EXPECT_TRUE(eventually([this] { return in_place(host()); }));
  EXPECT_EQ(must({"ip", "web1"}).out, "10.99.0.2 10.99.0.3\n");

  watch.signal(SIGTERM);
  const Ended ended = watch.wait();
  EXPECT_EQ(ended.code, 0);
  EXPECT_THAT(ended.err, HasSubstr("back in place"));
}

TEST_F(FirewallWatchCommand, IsOneForTheHost) {
  Running watch = begin({"firewall", "--watch"});
  const std::string lock = host().rundir + "/.lock/.firewall-watch";
  ASSERT_TRUE(eventually([&] { return !read(lock).empty(); }));
  const Ended second = run({"firewall", "--watch"});
  EXPECT_EQ(second.code, 1);
  EXPECT_THAT(second.err, HasSubstr("pid " + std::to_string(watch.pid())));
  watch.signal(SIGTERM);
  EXPECT_EQ(watch.wait().code, 0);
}

// Without systemd one of the jails' supervisors watches, and when it is gone another one does.
TEST_F(FirewallWatchCommand, IsARoleThatSupervisorsHandOn) {
  must({"init", "web1"});
  must({"init", "db1"});
  must({"start", "all"});
  const auto holder = [this] { return read(host().rundir + "/.lock/.firewall-watch"); };
  ASSERT_TRUE(eventually([&] { return !holder().empty(); }));
  test::run("nft flush ruleset");
  EXPECT_TRUE(eventually([this] { return in_place(host()); })) << "not after a flush";

  const std::string first = holder();
  ASSERT_EQ(::kill(std::stoi(first), SIGKILL), 0);
  EXPECT_TRUE(eventually([&] { return !holder().empty() && holder() != first; }))
      << "nobody took the role";
  test::run("nft flush ruleset");
  EXPECT_TRUE(eventually([this] { return in_place(host()); })) << "not by the next one";

  // Who watches does not put the rules of a jail back that is being removed.
  must({"remove", "web1", "--force"});
  must({"remove", "db1", "--force"});
  EXPECT_THAT(test::run("nft list table inet evojail"), testing::Not(HasSubstr("jail/web1")));
}

// A jail whose settings nobody can read must not lose the rules that keep its port shut.
TEST_F(FirewallWatchCommand, KeepsTheRulesOfAJailThatItCannotRead) {
  must({"init", "web1"});
  must({"ip", "web1", "10.99.0.2"});
  must({"init", "db1"});
  add_setting("web1", "COLOUR=blue");
  Running watch = begin({"firewall", "--watch"});
  test::run("nft flush chain inet evojail jail/db1/in");
  EXPECT_TRUE(eventually(
      [] { return test::run("nft list chain inet evojail jail/db1/in").contains("counter"); }));
  EXPECT_THAT(test::run("nft list table inet evojail"), HasSubstr("10.99.0.2"));
  watch.signal(SIGTERM);
  EXPECT_THAT(watch.wait().err, HasSubstr("COLOUR"));
}

}  // namespace
}  // namespace evojail::test
