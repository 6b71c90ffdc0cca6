// Making, starting, changing and removing jails through the program.

#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "kernel/firewall.hpp"
#include "root/cli/program.hpp"

namespace evojail::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

using Jails = Program;

TEST_F(Jails, AreMadeWithPortKeysAndNextSteps) {
  const Ended made = must({"init", "web1"});
  EXPECT_THAT(made.out, StartsWith("jail 'web1' made, on port 2222\n"));
  EXPECT_THAT(made.out, HasSubstr("key web1 FILE"));
  EXPECT_THAT(made.out, HasSubstr("    Port 2222\n"));
  EXPECT_THAT(made.out, HasSubstr("SHA256:"));
  EXPECT_EQ(must({"port", "web1"}).out, "2222\n");
  EXPECT_EQ(must({"ip", "web1"}).out, "all\n");
  EXPECT_EQ(must({"list"}).out, "web1\n");
  EXPECT_EQ(must({"-q", "init", "db1"}).out, "");
  EXPECT_EQ(must({"port", "db1"}).out, "2223\n");

  const Ended again = run({"init", "web1"});
  EXPECT_EQ(again.code, 1);
  EXPECT_EQ(again.out, "");
  EXPECT_THAT(again.err, StartsWith("evojail: making jail 'web1': jail 'web1' exists already\n"));
}

TEST_F(Jails, StartAnswerAndStop) {
  must({"init", "web1"});
  EXPECT_EQ(run({"is-on", "web1"}).code, 100);
  EXPECT_EQ(must({"start", "web1"}).out, "web1: started\n");
  EXPECT_EQ(must({"start", "web1"}).out, "web1: runs already\n");
  EXPECT_EQ(must({"is-on", "web1"}).out, "");
  EXPECT_TRUE(connected(start_connect("127.0.0.1", "127.0.0.1", 2222)));

  const json status = json::parse(must({"status", "--json"}).out);
  EXPECT_EQ(status["schema_version"], 1);
  EXPECT_EQ(status["jails"][0]["name"], "web1");
  EXPECT_EQ(status["jails"][0]["state"], "on");
  EXPECT_GT(status["jails"][0]["supervisor"]["pid"], 0);
  EXPECT_THAT(must({"status", "all", "--no-header"}).out,
              MatchesRegex("web1 +ON +2222 +4/2 +all .*\n"));
  EXPECT_THAT(must({"status", "web1"}).out, HasSubstr("running:      for "));

  EXPECT_THAT(must({"reload", "web1"}).out, StartsWith("web1: reloaded"));
  EXPECT_THAT(must({"stop", "web1"}).out, MatchesRegex("web1: stopped, [01] sessions? ended\n"));
  EXPECT_EQ(must({"stop", "web1"}).out, "web1: off already\n");
  EXPECT_EQ(must({"reload", "web1"}).out, "web1: off: there is nothing to reload\n");
  EXPECT_EQ(run({"is-on", "web1"}).code, 100);
}

// The supervisor's own error, not that it died.
TEST_F(Jails, SayWhyTheyDoNotStart) {
  must({"init", "web1"});
  const Fd squatter = listen_on(2222);
  const Ended failed = run({"start", "web1"});
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err, StartsWith("evojail: starting jail 'web1': "));
  EXPECT_THAT(failed.err, HasSubstr("2222"));
  EXPECT_THAT(failed.err, HasSubstr("Address already in use"));
  EXPECT_EQ(run({"is-on", "web1"}).code, 100);
}

TEST_F(Jails, AreTriedAllAndFailuresListed) {
  must({"init", "a"});
  must({"init", "b"});
  must({"init", "c"});
  add_setting("b", "COLOUR=blue");
  const Ended started = run({"start", "all"});
  EXPECT_EQ(started.code, 1);
  EXPECT_EQ(started.out, "a: started\nc: started\n");
  EXPECT_THAT(started.err, StartsWith("evojail: 1 of 3 jails failed:\nevojail: "));
  EXPECT_THAT(started.err, HasSubstr("COLOUR"));
  EXPECT_EQ(run({"is-on", "c"}).code, 0);
  // A jail whose settings are broken can still be seen and stopped.
  EXPECT_THAT(must({"status"}).out, HasSubstr("b"));
  EXPECT_EQ(must({"-q", "stop", "all"}).out, "");
}

TEST_F(Jails, KeepRunningWhereARestartCouldNotStartThem) {
  must({"init", "web1"});
  must({"start", "web1"});
  const auto pid = json::parse(must({"status", "--json"}).out)["jails"][0]["supervisor"]["pid"];
  add_setting("web1", "PROFILE=nosuch");
  const Ended failed = run({"restart", "web1"});
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err, HasSubstr("nosuch"));
  EXPECT_EQ(json::parse(must({"status", "--json"}).out)["jails"][0]["supervisor"]["pid"], pid);
}

TEST_F(Jails, GetAnRsaKeyWhenClientsOfOldAreToConnect) {
  must({"init", "web1"});
  must({"init", "old1", "--legacy-clients"});
  EXPECT_TRUE(std::filesystem::exists(conf("old1", "ssh_host_rsa_key")));
  EXPECT_FALSE(std::filesystem::exists(conf("web1", "ssh_host_rsa_key")));
  add_setting("web1", "LEGACY_CLIENTS=yes");
  must({"start", "web1"});
  EXPECT_THAT(read(conf("web1", "ssh_host_rsa_key.pub")), StartsWith("ssh-rsa "));
}

TEST_F(Jails, AreRenamedArchivedAndRemovedWithTheirRules) {
  must({"init", "web1"});
  must({"start", "web1"});
  EXPECT_THAT(test::run("nft list table inet evojail"), HasSubstr("jail/web1/in"));
  EXPECT_THAT(must({"rename", "web1", "web2"}).out, HasSubstr("started again"));
  EXPECT_EQ(must({"list"}).out, "web2\n");
  EXPECT_EQ(run({"is-on", "web2"}).code, 0);
  EXPECT_EQ(run({"is-on", "web1"}).code, 2);
  const std::string renamed = test::run("nft list table inet evojail");
  EXPECT_THAT(renamed, HasSubstr("jail/web2/in"));
  EXPECT_THAT(renamed, Not(HasSubstr("jail/web1/in")));

  must({"inc", "web2"});
  must({"archive", "web2"});
  EXPECT_EQ(must({"list"}).out, "");
  EXPECT_TRUE(std::filesystem::exists(host().archivesdir + "/web2/data"));
  EXPECT_THAT(test::run("nft list table inet evojail"), Not(HasSubstr("jail/web2/in")));
  // Its incs are thinned on, by its policy.
  EXPECT_THAT(must({"list-incs", "web2", "--no-header"}).out, HasSubstr("complete"));
  write(conf("web2", "incs_policy"), "none\n");
  EXPECT_THAT(must({"rm", "--dry-run"}).out, StartsWith("remove web2/"));

  must({"init", "web3"});
  EXPECT_EQ(must({"remove", "web3", "--force"}).out, "jail 'web3' removed\n");
  EXPECT_EQ(must({"remove", "web3", "--force"}).code, 0);
  EXPECT_EQ(run({"remove", "web3"}).code, 2);
}

/// Rules of a jail of that name, on that port and on those uids.
void leave_rules(const HostSettings& host, const std::string& name, std::uint16_t port,
                 std::uint32_t uid) {
  FirewallJail jail;
  jail.name = name;
  jail.port = port;
  jail.owner_uid = uid;
  ASSERT_TRUE(Firewall(host.firewall_table).apply(jail));
}

constexpr std::uint32_t first_uid = 0x70000000;

TEST_F(Jails, AreNotBlockedByTheRulesOfOnesThatAreGone) {
  leave_rules(host(), "old1", 2222, 0);
  leave_rules(host(), "old2", 2999, first_uid);
  must({"init", "web1"});
  const auto rules = [] { return test::run("nft list table inet evojail"); };
  EXPECT_THAT(rules(), HasSubstr("jail/web1/in"));
  EXPECT_THAT(rules(), Not(HasSubstr("jail/old")));

  test::run("nft flush ruleset");
  leave_rules(host(), "old1", 2222, first_uid);
  must({"start", "web1"});
  EXPECT_THAT(rules(), Not(HasSubstr("jail/old")));
  leave_rules(host(), "old1", 2300, 0);
  must({"port", "web1", "2300"});
  EXPECT_THAT(rules(), Not(HasSubstr("jail/old")));

  leave_rules(host(), "old1", 2999, 0);
  must({"firewall", "web1"});
  EXPECT_THAT(rules(), HasSubstr("jail/old1")) << "in nobody's way, and it was not asked about";
  must({"firewall", "all"});
  EXPECT_THAT(rules(), Not(HasSubstr("jail/old")));
  EXPECT_THAT(rules(), HasSubstr("jail/web1/in"));
}

// Rules that hold a port shut are not taken from a jail that exists.
TEST_F(Jails, DoNotTakeTheRulesOfOthersAway) {
  must({"init", "web1"});
  must({"init", "db1"});
  test::run("nft flush ruleset");
  leave_rules(host(), "db1", 2222, 0);
  const Ended failed = run({"start", "web1"});
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err, HasSubstr("jail 'db1' has the same port"));
  EXPECT_THAT(failed.err, HasSubstr("hint: 'evojail firewall all'"));
  must({"firewall", "all"});
  must({"start", "web1"});
  // What looks foreign may be the rules of a jail whose settings nobody can read.
  add_setting("db1", "COLOUR=blue");
  leave_rules(host(), "old1", 2999, 0);
  EXPECT_EQ(run({"firewall", "all"}).code, 1);
  EXPECT_THAT(test::run("nft list table inet evojail"), HasSubstr("jail/db1/in"));
  EXPECT_THAT(test::run("nft list table inet evojail"), HasSubstr("jail/old1/in"));
}

TEST_F(Jails, TakeTheirRulesAlongBeforeLeaseAndSettings) {
  must({"init", "web1"});
  test::run("chattr +i " + host().confdir);
  EXPECT_EQ(run({"remove", "web1", "--force"}).code, 1);
  EXPECT_THAT(test::run("nft list table inet evojail"), Not(HasSubstr("jail/web1/in")));
  test::run("chattr -i " + host().confdir);
  must({"remove", "web1", "--force"});

  must({"init", "web1"});
  test::run("chattr +i " + host().confdir + "/web1.d");
  EXPECT_EQ(run({"archive", "web1"}).code, 1);
  EXPECT_THAT(test::run("nft list table inet evojail"), Not(HasSubstr("jail/web1/in")));
  test::run("chattr -i " + host().confdir + "/web1.d");
  must({"archive", "web1"});

  must({"init", "web2"});
  test::run("chattr +i " + host().confdir);
  EXPECT_EQ(run({"rename", "web2", "web3"}).code, 1);
  EXPECT_THAT(test::run("nft list table inet evojail"), Not(HasSubstr("jail/web2/in")));
  test::run("chattr -i " + host().confdir);
  must({"rename", "web2", "web3"});
  EXPECT_THAT(test::run("nft list table inet evojail"), HasSubstr("jail/web3/in"));
}

}  // namespace
}  // namespace evojail::test
