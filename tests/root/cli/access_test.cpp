// Keys, addresses and ports.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "root/cli/program.hpp"

namespace evojail::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

using Access = Program;

const std::string key =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPIZ5jPjYVvDxfYuRJbXyUvXqPTnW8mTZC9pUNgwbnN web1\n";

TEST_F(Access, AddressesAreAddedAndRemoved) {
  must({"init", "web1"});
  EXPECT_EQ(must({"ip", "web1", "192.0.2.7"}).out,
            "jail 'web1' is open to: 192.0.2.7; the jail is off\n");
  must({"ip", "web1", "2001:db8::/32"});
  EXPECT_EQ(must({"ip", "web1"}).out, "192.0.2.7 2001:db8::/32\n");
  EXPECT_EQ(json::parse(must({"ip", "web1", "--json"}).out)["allow"],
            json({"192.0.2.7", "2001:db8::/32"}));
  must({"ip", "web1", "--remove", "192.0.2.7"});
  EXPECT_EQ(must({"ip", "web1"}).out, "2001:db8::/32\n");
  must({"ip", "web1", "none"});
  EXPECT_EQ(must({"ip", "web1"}).out, "none\n");
  must({"ip", "web1", "all"});
  EXPECT_EQ(must({"ip", "web1"}).out, "all\n");
  EXPECT_EQ(run({"ip", "web1", "192.0.2.1", "--remove", "192.0.2.2"}).code, 1);
}

// A change that is asked for in JSON answers in JSON: what is in force from then on.
TEST_F(Access, ChangesAnswerMachines) {
  must({"init", "web1"});
  EXPECT_EQ(json::parse(must({"ip", "web1", "192.0.2.7", "--json"}).out)["allow"],
            json({"192.0.2.7"}));
  EXPECT_EQ(json::parse(must({"port", "web1", "2300", "--json"}).out)["port"], 2300);
  EXPECT_EQ(json::parse(must({"key", "web1", "-", "--json"}, {.input = key}).out)["keys"].size(),
            1U);
  const json rules = json::parse(must({"firewall", "all", "--json"}).out);
  ASSERT_EQ(rules["jails"].size(), 1U);
  EXPECT_EQ(rules["jails"][0]["jail"], "web1");
  EXPECT_EQ(rules["jails"][0]["port"], 2300);
  EXPECT_EQ(rules["jails"][0]["allow"], json({"192.0.2.7"}));
  EXPECT_EQ(run({"firewall", "--watch", "--json"}).code, 1);
}

// Comments and other lines of jail.conf are the administrator's.
TEST_F(Access, EditsTouchOneLine) {
  must({"init", "web1"});
  add_setting("web1", "# my own note");
  const std::string before = read(conf("web1", "jail.conf"));
  must({"ip", "web1", "192.0.2.7"});
  must({"ip", "web1", "all"});
  EXPECT_EQ(read(conf("web1", "jail.conf")), before);
}

// Without CAP_NET_ADMIN the firewall refuses: the settings must not say what the rules do not do.
TEST_F(Access, SettingsStayWhereTheFirewallFails) {
  must({"init", "web1"});
  const std::string before = read(conf("web1", "jail.conf"));
  const Ended failed =
      run({"ip", "web1", "192.0.2.7"},
          {.wrapper = {"setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"}});
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err, StartsWith("evojail: "));
  EXPECT_EQ(read(conf("web1", "jail.conf")), before);
  must({"ip", "web1", "192.0.2.7"});  // with it, it can
}

// Nobody is left to believe that nothing has changed.
TEST_F(Access, WhatARunningJailCannotTakeUpIsSaidToBeSetAllTheSame) {
  must({"init", "web1"});
  must({"start", "web1"});
  add_setting("web1", "PROFILE=nosuch");
  const Ended address = run({"ip", "web1", "192.0.2.7"});
  EXPECT_EQ(address.code, 1);
  EXPECT_THAT(address.err, StartsWith("evojail: the settings are changed, the running jail has not "
                                      "taken them up: reloading jail 'web1': "));
  EXPECT_EQ(must({"ip", "web1"}).out, "192.0.2.7\n");
  const Ended keys = run({"key", "web1", "-"}, {.input = key});
  EXPECT_EQ(keys.code, 1);
  EXPECT_THAT(keys.err, StartsWith("evojail: the keys are set, the running jail has not taken"));
  EXPECT_EQ(must({"key", "web1"}).out, key);
}

TEST_F(Access, PortsOfOthersAreRefused) {
  must({"init", "web1"});
  must({"init", "db1"});
  const Fd squatter = listen_on(0);
  const std::string busy = std::to_string(port_of(squatter));
  EXPECT_THAT(run({"port", "db1", "2222"}).err, HasSubstr("'web1'"));
  EXPECT_THAT(run({"port", "db1", busy}).err, HasSubstr(busy));
  EXPECT_THAT(run({"init", "new1", "--port", busy}).err, HasSubstr(busy));
  EXPECT_EQ(run({"init", "new1", "--port", "0"}).code, 1);
  EXPECT_EQ(must({"list"}).out, "db1\nweb1\n");
  EXPECT_EQ(must({"port", "db1"}).out, "2223\n");
  must({"port", "db1", "2300"});
  EXPECT_EQ(must({"port", "db1"}).out, "2300\n");
}

TEST_F(Access, PortOfARunningJailMoves) {
  must({"init", "web1"});
  must({"start", "web1"});
  const Ended moved = must({"port", "web1", "2400"});
  EXPECT_EQ(moved.out, "2400\n");
  EXPECT_THAT(moved.err, HasSubstr("on port 2400; the running jail"));
  EXPECT_TRUE(connected(start_connect("127.0.0.1", "127.0.0.1", 2400)));
  EXPECT_FALSE(connected(start_connect("127.0.0.1", "127.0.0.1", 2222)));
}

TEST_F(Access, KeysAreCheckedSetAndShown) {
  must({"init", "web1"});
  EXPECT_EQ(must({"key", "web1"}).out, "");
  EXPECT_EQ(must({"key", "web1", "-"}, {.input = key}).out,
            "jail 'web1' takes 1 key from now on; it is off\n");
  EXPECT_EQ(must({"key", "web1"}).out, key);
  EXPECT_EQ(json::parse(must({"key", "web1", "--json"}).out)["keys"].size(), 1U);

  write(path("bad"), key + "no key\n");
  const Ended failed = run({"key", "web1", path("bad")});
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err, HasSubstr("line 2"));
  EXPECT_EQ(must({"key", "web1"}).out, key);
  EXPECT_EQ(run({"key", "web1", "--now"}).code, 1);
}

}  // namespace
}  // namespace evojail::test
