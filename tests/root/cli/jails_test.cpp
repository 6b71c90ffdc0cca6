// Making, starting, changing and removing jails through the program.

#include <gmock/gmock.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "kernel/firewall.hpp"
#include "kernel/tcp.hpp"
#include "kernel/unix_socket.hpp"
#include "root/cli/program.hpp"

namespace evojail::test {
namespace {

using nlohmann::json;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;
using testing::StartsWith;

using Jails = Program;

constexpr std::uint32_t first_uid = 0x70000000;

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
  EXPECT_EQ(again.err,
            "evojail: jail 'web1' exists already\n"
            "hint: 'evojail list' shows the names that are taken\n");
  EXPECT_THAT(run({"init", "a/b"}).err, StartsWith("evojail: 'a/b' cannot be a jail's name\n"));
}

TEST_F(Jails, AreMadeForMachinesToo) {
  const json made = json::parse(must({"init", "web1", "--json"}).out);
  EXPECT_EQ(made["schema_version"], 1);
  EXPECT_EQ(made["jail"], "web1");
  EXPECT_EQ(made["port"], 2222);
  ASSERT_EQ(made["host_keys"].size(), 2U);
  EXPECT_EQ(made["host_keys"][0]["type"], "ed25519");
  EXPECT_EQ(made["host_keys"][0]["public_key"].get<std::string>() + "\n",
            read(conf("web1", "ssh_host_ed25519_key.pub")));
  EXPECT_THAT(made["host_keys"][0]["fingerprint"], StartsWith("SHA256:"));
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
  EXPECT_EQ(status["jails"][0]["jail"], "web1");
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
  const Ended seen = run({"status"});
  EXPECT_EQ(seen.code, 1);
  EXPECT_THAT(seen.out, ContainsRegex("\na .* ON .*\nb .*unreadable .*\nc .* ON "));
  EXPECT_THAT(seen.err, StartsWith("evojail: 1 of 3 jails failed:\nevojail: "));
  EXPECT_THAT(seen.err, HasSubstr("COLOUR"));
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

json status_of(const std::string& document) { return json::parse(document)["jails"][0]; }

// Whoever is executed in the supervisor's place and cannot go on takes the jail along.
TEST_F(Jails, OutliveAReloadThatCannotBe) {
  must({"init", "web1"});
  must({"start", "web1"});
  const json before = status_of(must({"status", "--json"}).out);
  const pid_t supervisor = before["supervisor"]["pid"];
  const std::string settings = read(path("settings"));
  const auto log_says = [this](const std::string& words) {
    return eventually([&] { return read(host().logdir + "/web1.log").contains(words); });
  };

  write(path("settings"), settings + "COLOUR=blue\n");
  ASSERT_EQ(::kill(supervisor, SIGHUP), 0);
  EXPECT_TRUE(log_says("COLOUR"));
  write(path("settings"), settings + "FIREWALL_TABLE=other\n");
  ASSERT_EQ(::kill(supervisor, SIGHUP), 0);
  EXPECT_TRUE(log_says("FIREWALL_TABLE"));
  write(path("settings"), settings);
  add_setting("web1", "PROFILE=nosuch");
  EXPECT_EQ(run({"reload", "web1"}).code, 1);
  EXPECT_EQ(status_of(must({"status", "--json"}).out)["supervisor"], before["supervisor"]);
  EXPECT_TRUE(connected(start_connect("127.0.0.1", "127.0.0.1", 2222)));
}

TEST_F(Jails, GoOnAsTheyWereWhereAReloadFails) {
  must({"init", "web1"});
  must({"start", "web1"});
  const std::string good = read(conf("web1", "jail.conf"));
  const Fd squatter = listen_on(2300);
  std::string moved = good;
  moved.replace(moved.find("PORT=2222"), 9, "PORT=2300");
  write(conf("web1", "jail.conf"), moved);
  const Ended failed = run({"reload", "web1"});
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err, HasSubstr("2300"));
  EXPECT_EQ(status_of(must({"status", "--json"}).out)["supervisor"]["port"], 2222);
  EXPECT_THAT(must({"status", "--no-header"}).out, HasSubstr(" 2222 "));
  EXPECT_TRUE(connected(start_connect("127.0.0.1", "127.0.0.1", 2222)));

  // The port is free, another step fails behind the firewall's: its rules come back.
  write(conf("web1", "jail.conf"), good + "ALLOW=192.0.2.7\n");
  test::run("chattr +i " + host().rundir + "/web1/ssh");
  EXPECT_EQ(run({"reload", "web1"}).code, 1);
  test::run("chattr -i " + host().rundir + "/web1/ssh");
  EXPECT_TRUE(connected(start_connect("127.0.0.1", "127.0.0.1", 2222)));
}

TEST_F(Jails, SayWhatWaitsForARestart) {
  must({"init", "web1"});
  must({"start", "web1"});
  add_setting("web1", "TMP_SIZE=32M");
  EXPECT_THAT(must({"reload", "web1"}).out, HasSubstr("with the next restart: TMP_SIZE"));
  EXPECT_THAT(must({"status", "web1"}).out, HasSubstr("waiting for a restart: TMP_SIZE"));
  add_setting("web1", "PROFILE=sftp");
  EXPECT_THAT(must({"reload", "web1"}).out, HasSubstr("TMP_SIZE"));
  must({"restart", "web1"});
  EXPECT_THAT(must({"reload", "web1"}).out, Not(HasSubstr("restart")));
  EXPECT_THAT(must({"status", "web1"}).out, Not(HasSubstr("waiting for a restart")));
}

// Neither end of the control socket waits for the other for ever.
TEST_F(Jails, DoNotWaitForWhoIsSilent) {
  must({"init", "db1"});
  must({"init", "web1"});
  must({"start", "all"});
  const auto connection =
      connect_seqpacket(host().rundir + "/web1/control", std::chrono::seconds(10));
  ASSERT_TRUE(connection) << "a client that asks nothing";
  must({"is-on", "web1"});

  const pid_t supervisor = status_of(must({"status", "--json"}).out)["supervisor"]["pid"];
  ASSERT_EQ(::kill(supervisor, SIGSTOP), 0);
  const json stopped = json::parse(run({"status", "--json"}).out);
  EXPECT_TRUE(stopped["jails"][0]["state"].is_null());
  EXPECT_THAT(stopped["jails"][0]["troubles"].dump(), HasSubstr("did not answer within"));
  EXPECT_THAT(stopped["jails"][0]["troubles"].dump(), HasSubstr(std::to_string(supervisor)));
  EXPECT_EQ(stopped["jails"][1]["state"], "on");
  ASSERT_EQ(::kill(supervisor, SIGCONT), 0);
  must({"is-on", "db1"});
}

TEST_F(Jails, AreStoppedByABrokenProfileWithItsLine) {
  must({"init", "web1"});
  std::filesystem::create_directory(host().confdir + "/profiles");
  const std::string mine = host().confdir + "/profiles/mine.json";
  const std::string text = must({"profile", "show", "default", "--json"}).out;
  write(mine, text);
  add_setting("web1", "PROFILE=mine");
  EXPECT_THAT(must({"profile", "list"}).out, HasSubstr("mine "));
  EXPECT_THAT(must({"profile", "show", "mine"}).out, HasSubstr(mine));
  must({"start", "web1"});
  must({"stop", "web1"});

  std::string broken = text;
  broken.replace(broken.find("SCMP_ACT_ALLOW"), 14, "SCMP_ACT_SHRUG");
  const std::string above = broken.substr(0, broken.find("SHRUG"));
  const auto line = 1 + std::ranges::count(above, '\n');
  write(mine, broken);
  const Ended failed = run({"start", "web1"});
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err, HasSubstr(mine + ":" + std::to_string(line)));
  EXPECT_EQ(run({"is-on", "web1"}).code, 100);
  EXPECT_THAT(run({"check-setup"}).out, HasSubstr(mine));

  // The administrator's goes before the program's own.
  write(host().confdir + "/profiles/default.json", broken);
  must({"init", "web2"});
  EXPECT_THAT(run({"start", "web2"}).err, HasSubstr(host().confdir + "/profiles/default.json:"));
}

// A peer that vanished without a word is noticed by the kernel: within three minutes where data
// waits for it, a little later where the connection is idle.
TEST_F(Jails, NoticeAPeerThatIsGone) {
  const auto listener = listen_tcp(2222);
  ASSERT_TRUE(listener);
  const Fd peer = start_connect("127.0.0.1", "127.0.0.1", 2222);
  std::optional<Accepted> accepted;
  ASSERT_TRUE(eventually([&] {
    auto connection = accept_as(listener->get(), first_uid);
    if (connection) accepted = std::move(*connection);
    return accepted.has_value();
  }));
  const auto option = [&](int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    EXPECT_EQ(::getsockopt(accepted->socket.get(), level, name, &value, &size), 0);
    return value;
  };
  EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_GT(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
  EXPECT_LE(option(IPPROTO_TCP, TCP_USER_TIMEOUT), 180'000);
  EXPECT_LE(option(IPPROTO_TCP, TCP_KEEPIDLE), 60);
  EXPECT_LE(option(IPPROTO_TCP, TCP_KEEPINTVL), 30);
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
  // Whoever asks for it hears where it is.
  EXPECT_THAT(run({"start", "web2"}).err, HasSubstr("hint: it is archived in '"));
  EXPECT_THAT(run({"init", "web2"}).err, HasSubstr("hint: the jail is archived"));
  // Its incs are thinned on, by its policy.
  EXPECT_THAT(must({"list-incs", "web2", "--no-header"}).out, HasSubstr("complete"));
  write(conf("web2", "incs_policy"), "none\n");
  EXPECT_THAT(must({"rm", "--dry-run"}).out, StartsWith("remove web2/"));

  must({"init", "web3"});
  EXPECT_EQ(must({"remove", "web3", "--force"}).out, "jail 'web3' removed\n");
  EXPECT_EQ(must({"remove", "web3", "--force"}).out, "there is no jail 'web3'\n");
  EXPECT_EQ(run({"remove", "web3"}).code, 2);
  // What was put away is not said to be removed.
  EXPECT_EQ(must({"remove", "web2", "--force"}).out,
            "there is no jail 'web2'; what is left of an archived one stays\n");
  EXPECT_TRUE(std::filesystem::exists(host().archivesdir + "/web2/data"));
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

TEST_F(Jails, AreNotBlockedByTheRulesOfOnesThatAreGone) {
  leave_rules(host(), "old1", 2222, 0);
  leave_rules(host(), "old2", 2999, first_uid);
  must({"init", "web1"});
  const auto rules = [] { return test::run("nft list table inet evojail"); };
  EXPECT_THAT(rules(), HasSubstr("jail/web1/in"));
  EXPECT_THAT(rules(), Not(HasSubstr("jail/old")));

  test::run("nft flush ruleset");
  leave_rules(host(), "old1", 2300, 0);
  must({"port", "web1", "2300"});
  EXPECT_THAT(rules(), Not(HasSubstr("jail/old")));
  test::run("nft flush ruleset");
  leave_rules(host(), "old1", 2300, first_uid);
  must({"start", "web1"});
  EXPECT_THAT(rules(), Not(HasSubstr("jail/old")));

  must({"stop", "web1"});  // and with it whoever watches over the rules
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
  // Its supervisor watches over the rules, and remembers what the settings said.
  must({"stop", "web1"});
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
