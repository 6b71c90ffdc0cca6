#include <gmock/gmock.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <random>

#include "firewall_fixture.hpp"

namespace evojail::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;
using namespace std::string_literals;
using N = Network;

class FirewallChangeTest : public FirewallTest {
 protected:
  // The longest name there can be, with every kind of character, and one that starts with a digit.
  const std::string long_name = "a.b-c_" + std::string(57, 'x') + "-";
  FirewallJail first = [&] {
    FirewallJail jail = jail_at(long_name, port, kFirstUid,
                                {"10.99.0.0/24", "192.0.2.7", "240.0.0.0/4", "2001:db8::/32"});
    jail.new_connections_per_minute = 60;
    return jail;
  }();
  FirewallJail second = [&] {
    FirewallJail jail = jail_at("2nd..", other_port, kSecondUid, {});
    jail.allow_all = true;
    return jail;
  }();

  void apply_both() {
    expect_done(firewall.apply(first));
    expect_done(firewall.apply(second));
  }

  static std::string rules() { return run("nft list ruleset"); }

  /// A name in nft's syntax that a table of the administrator's own has.
  static void make_other_tables() {
    run(R"(nft -f - <<'END'
table inet filter {
  set ban { type ipv4_addr; flags timeout; elements = { 192.0.2.1 } }
  chain input { type filter hook input priority filter; policy drop; ip saddr @ban drop; accept; }
}
table ip evojail {
  chain input { type filter hook input priority 5; tcp dport 9 drop; }
}
END)");
  }
  static std::string other_tables() {
    return run("nft list table inet filter; nft list table ip evojail");
  }
};

TEST_F(FirewallChangeTest, WhatWasPlannedIsThere) {
  apply_both();
  EXPECT_THAT(drift_of({first, second}), IsEmpty());
  expect_done(firewall.replace_all(std::vector{first, second}));
  EXPECT_THAT(drift_of({first, second}), IsEmpty());
}

TEST_F(FirewallChangeTest, NftsListingCanBeLoadedAgain) {
  apply_both();
  const std::string before = rules();
  const std::string path = ::testing::TempDir() + "/evojail-rules-" + std::to_string(::getpid());
  std::ofstream(path) << before;
  run("nft flush ruleset; nft -f " + path);
  ::unlink(path.c_str());
  EXPECT_EQ(rules(), before);
  EXPECT_THAT(drift_of({first, second}), IsEmpty());
}

TEST_F(FirewallChangeTest, NothingToDoIsNotATransaction) {
  apply_both();
  const auto before = value_of(firewall.generation());
  apply_both();
  expect_done(firewall.remove("never-was"));
  EXPECT_EQ(value_of(firewall.generation()), before);
}

TEST_F(FirewallChangeTest, AnyChangeOfAJailLeavesExactlyWhatIsWanted) {
  apply_both();
  std::minstd_rand random(42);  // the same every time
  for (int round = 0; round < 200; ++round) {
    first.allow_all = random() % 5 == 0;
    first.new_connections_per_minute = random() % 3 == 0 ? 0 : 60;
    first.owner_uid = random() % 4 == 0 ? 0 : kFirstUid + 2 * 0x20000;
    first.port = static_cast<std::uint16_t>(20'000 + random() % 3);
    first.allow.clear();
    for (auto i = random() % 12; i > 0; --i) {
      Prefix prefix;
      const bool v4 = random() % 2 == 0;
      prefix.family = v4 ? Prefix::Family::v4 : Prefix::Family::v6;
      prefix.length = static_cast<std::uint8_t>(v4 ? random() % 33 : random() % 129);
      // Few different bytes: networks that touch, overlap and contain each other.
      for (auto& byte : prefix.bytes) byte = random() % 2 == 0 ? 0xff : 0x00;
      first.allow.push_back(prefix);
    }
    expect_done(firewall.apply(first));
    ASSERT_THAT(drift_of({first, second}), IsEmpty()) << "round " << round;
  }
}

TEST_F(FirewallChangeTest, APortMovesAlsoWhereSomebodyHadMovedItByHand) {
  apply_both();
  run("nft 'delete element inet evojail ports { " + std::to_string(port) +
      " }; add element inet evojail ports { 20000 : goto jail/" + long_name + "/in }'");
  first.port = 20'001;
  expect_done(firewall.apply(first));
  EXPECT_THAT(drift_of({first, second}), IsEmpty());
}

TEST_F(FirewallChangeTest, AThousandSourcesAreOneTransaction) {
  for (unsigned i = 0; i < 1000; ++i) {
    Prefix prefix;
    prefix.length = 32;
    prefix.bytes = {172, 16, static_cast<std::uint8_t>(i / 100),
                    static_cast<std::uint8_t>(i % 100 * 2)};
    first.allow.push_back(prefix);
  }
  const auto before = value_of(firewall.generation());
  expect_done(firewall.apply(first));
  EXPECT_EQ(value_of(firewall.generation()), before + 1);
  EXPECT_THAT(drift_of({first}), IsEmpty());
}

TEST_F(FirewallChangeTest, RemovalTakesAllOfTheJailAndNothingElse) {
  expect_done(firewall.apply(second));
  const std::string before = run("nft -a list ruleset");
  expect_done(firewall.apply(first));
  expect_done(firewall.remove(first.name));
  EXPECT_THAT(drift_of({second}), IsEmpty());
  EXPECT_THAT(rules(), Not(HasSubstr(first.name)));
  EXPECT_EQ(run("nft -a list ruleset"), before) << "handles tell what was made anew";
  expect_done(firewall.remove(first.name));
}

TEST_F(FirewallChangeTest, RemovingWithoutATableMakesNone) {
  expect_done(firewall.remove("web1"));
  EXPECT_EQ(rules(), "");
}

TEST_F(FirewallChangeTest, APortOrUidThatAnotherJailHasIsAnError) {
  apply_both();
  FirewallJail third = jail_at("third", other_port, kFirstUid + 4 * 0x20000, {});
  auto done = firewall.apply(third);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message(), HasSubstr("jail '2nd..' has the same port"));
  third.port = 9;
  third.owner_uid = kSecondUid;
  done = firewall.apply(third);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message(), HasSubstr("jail '2nd..' has the same uid range"));
  EXPECT_FALSE(firewall.replace_all(std::vector{first, second, third}));
  EXPECT_THAT(drift_of({first, second}), IsEmpty()) << "nothing was changed";
}

TEST_F(FirewallChangeTest, CountersSurviveChangesAndRewriting) {
  apply_both();
  EXPECT_TRUE(reaches(N::client4, N::host4, port));
  const auto count = counters(first.name).received;
  EXPECT_GT(count.packets, 0U);
  first.allow.pop_back();
  first.new_connections_per_minute = 0;
  expect_done(firewall.apply(first));
  EXPECT_GE(counters(first.name).received.packets, count.packets);
  expect_done(firewall.replace_all(std::vector{first}));
  EXPECT_GE(counters(first.name).received.packets, count.packets);
  EXPECT_EQ(counters(second.name).received.packets, 0U);
}

TEST_F(FirewallChangeTest, OtherTablesAreUntouched) {
  make_other_tables();
  const std::string before = other_tables();
  apply_both();
  EXPECT_EQ(other_tables(), before);
  expect_done(firewall.replace_all(std::vector{second}));
  EXPECT_EQ(other_tables(), before);
  expect_done(firewall.remove(second.name));
  EXPECT_EQ(other_tables(), before);
  expect_done(firewall.remove_table());
  expect_done(firewall.remove_table());
  EXPECT_EQ(other_tables(), before);
  EXPECT_THAT(rules(), Not(HasSubstr("inet evojail")));
}

TEST_F(FirewallChangeTest, SettingsReadBeforeSomebodysChangeAreNotWritten) {
  apply_both();
  const auto generation = value_of(firewall.generation());
  run("nft add table ip somebody");
  const auto late = firewall.replace_all(std::vector{first}, generation);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), ERESTART);
  EXPECT_THAT(drift_of({first, second}), IsEmpty());
  expect_done(firewall.replace_all(std::vector{first}, value_of(firewall.generation())));
  EXPECT_THAT(drift_of({first}), IsEmpty());
}

TEST_F(FirewallChangeTest, ChangesByManyProcessesAllArrive) {
  std::vector<FirewallJail> jails;
  for (int i = 0; i < 4; ++i) {
    FirewallJail jail = jail_at("web" + std::to_string(i), static_cast<std::uint16_t>(30'000 + i),
                                kFirstUid + static_cast<std::uint32_t>(i) * 0x20000, {N::client4});
    jails.push_back(jail);
    if (::fork() != 0) continue;
    Firewall own("evojail");
    bool good = true;
    for (unsigned round = 0; round < 20; ++round) {
      jail.new_connections_per_minute = round;
      good &= own.apply(jail).has_value();
    }
    jail.new_connections_per_minute = 0;
    ::_exit(good && own.apply(jail) ? 0 : 1);
  }
  for (const auto& jail : jails) {
    int status = -1;
    EXPECT_GT(::wait(&status), 0) << jail.name;
    EXPECT_EQ(status, 0);
  }
  EXPECT_THAT(drift_of(jails), IsEmpty());
}

TEST_F(FirewallChangeTest, WithoutThePrivilegeTheErrorSaysSo) {
  if (const pid_t child = ::fork(); child == 0) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2]{};
    ::syscall(SYS_capset, &header, none);
    const auto done = Firewall("evojail").apply(first);
    ::_exit(!done && done.error().code() == EPERM &&
                    done.error().hint().find("CAP_NET_ADMIN") != std::string::npos
                ? 0
                : 1);
  } else {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(rules(), "");
}

TEST_F(FirewallChangeTest, TheKernelsRefusalNamesTheObject) {
  apply_both();
  // Something of the administrator's uses the jail's set.
  run("nft add chain inet evojail mine; nft add rule inet evojail mine ip saddr @jail/" +
      first.name + "/allow4 accept");
  const auto done = firewall.remove(first.name);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code(), EBUSY);
  EXPECT_THAT(done.error().message(), HasSubstr("set jail/" + first.name + "/allow4"));
  EXPECT_THAT(drift_of({first, second}), ElementsAre("foreign: chain mine"));
  expect_done(firewall.replace_all(std::vector{first, second}));
  EXPECT_THAT(drift_of({first, second}), IsEmpty());
}

struct Tampering {
  const char* name;
  std::string command;  ///< of nft; LONG stands for the first jail's name
  std::vector<std::string> drift;
  bool apply_mends = true;  ///< whether apply() of both jails is enough
};

std::string with_name(std::string text, const std::string& name) {
  for (std::size_t at = 0; (at = text.find("LONG", at)) != std::string::npos; at += name.size()) {
    text.replace(at, 4, name);
  }
  return text;
}

class FirewallTamperTest : public FirewallChangeTest,
                           public ::testing::WithParamInterface<Tampering> {};

TEST_P(FirewallTamperTest, IsSeenAndMended) {
  apply_both();
  ASSERT_THAT(drift_of({first, second}), IsEmpty());
  run(with_name(GetParam().command, long_name));
  std::vector<std::string> expected;
  for (const auto& line : GetParam().drift) expected.push_back(with_name(line, long_name));
  EXPECT_THAT(drift_of({first, second}), ::testing::UnorderedElementsAreArray(expected));
  if (GetParam().apply_mends) {
    apply_both();
    EXPECT_THAT(drift_of({first, second}), IsEmpty()) << "apply() mends it";
    run(with_name(GetParam().command, long_name));
  }
  expect_done(firewall.replace_all(std::vector{first, second}));
  EXPECT_THAT(drift_of({first, second}), IsEmpty());
}

constexpr const char* kFirstRule =
    "nft delete rule inet evojail CHAIN handle "
    "$(nft -a list chain inet evojail CHAIN | sed -n 's/.* # handle //p' | sed -n 2p)";

std::string delete_first_rule(const std::string& chain) {
  std::string command = kFirstRule;
  for (std::size_t at = 0; (at = command.find("CHAIN", at)) != std::string::npos;) {
    command.replace(at, 5, chain);
  }
  return command;
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, FirewallTamperTest,
    ::testing::Values(
        Tampering{"FlushedRuleset", "nft flush ruleset", {"missing: table inet evojail"}},
        Tampering{"DeletedTable", "nft delete table inet evojail", {"missing: table inet evojail"}},
        Tampering{"DeletedRule",
                  delete_first_rule("jail/LONG/in"),
                  {"missing: rule 1 of chain jail/LONG/in"}},
        Tampering{
            "DeletedBaseRule", delete_first_rule("input"), {"missing: rule 1 of chain input"}},
        Tampering{
            "FlushedChain",
            "nft flush chain inet evojail jail/LONG/out",
            {"missing: rule 1 of chain jail/LONG/out", "missing: rule 2 of chain jail/LONG/out"}},
        Tampering{"FlushedWall",
                  "nft flush chain inet evojail wall",
                  {"missing: rule 1 of chain wall", "missing: rule 2 of chain wall",
                   "missing: rule 3 of chain wall"}},
        Tampering{"AddedRule",
                  "nft insert rule inet evojail jail/LONG/in accept",
                  {"foreign: a rule in chain jail/LONG/in"}},
        Tampering{"AddedBaseRule",
                  "nft insert rule inet evojail input tcp dport 22 drop",
                  {"foreign: a rule in chain input"}},
        Tampering{"ReplacedRule",
                  "nft replace rule inet evojail output handle $(nft -a list chain inet evojail "
                  "output | sed -n 's/.*goto wall # handle //p') meta skuid 1879048192 drop",
                  {"missing: rule 1 of chain output", "foreign: a rule in chain output"}},
        Tampering{"DeletedAddress",
                  "nft delete element inet evojail jail/LONG/allow4 '{ 192.0.2.7 }'",
                  {"missing: element 192.0.2.7 of set jail/LONG/allow4"}},
        Tampering{"AddedAddress",
                  "nft add element inet evojail jail/LONG/allow4 '{ 198.51.100.0/24 }'",
                  {"foreign: element 198.51.100.0-198.51.100.255 of set jail/LONG/allow4"}},
        Tampering{"AddedAddress6",
                  "nft add element inet evojail jail/LONG/allow6 '{ ::1 }'",
                  {"foreign: element ::1 of set jail/LONG/allow6"}},
        Tampering{"FlushedSet",
                  "nft flush set inet evojail jail/LONG/allow6",
                  {"missing: element 2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff of set "
                   "jail/LONG/allow6"}},
        Tampering{"FlushedOwners",
                  "nft flush map inet evojail owners",
                  {"missing: element 1879048192 of set owners",
                   "missing: element 1879179264 of set owners"}},
        Tampering{"AddedPort",
                  "nft add element inet evojail ports '{ 80 : drop }'",
                  {"foreign: element 80 of set ports"},
                  false},
        Tampering{"AddedOwner",
                  "nft add element inet evojail owners '{ 1879310336 : accept }'",
                  {"foreign: element 1879310336 of set owners"},
                  false},
        Tampering{
            "AddedChain", "nft add chain inet evojail extra", {"foreign: chain extra"}, false},
        Tampering{"AddedBaseChain",
                  "nft add chain inet evojail extra '{ type filter hook input priority -5; }'",
                  {"foreign: chain extra"},
                  false},
        Tampering{"AddedSet",
                  "nft add set inet evojail extra '{ type ipv4_addr; }'",
                  {"foreign: set extra"},
                  false},
        Tampering{"AddedCounter",
                  "nft add counter inet evojail extra",
                  {"foreign: counter extra"},
                  false},
        Tampering{"AddedQuota",
                  "nft add quota inet evojail extra '{ 1 mbytes }'",
                  {"foreign: object extra"},
                  false},
        Tampering{"ChangedPolicy",
                  "nft chain inet evojail input '{ policy drop; }'",
                  {"foreign: hook, priority or policy of chain input"}},
        Tampering{"DormantTable",
                  "nft add table inet evojail '{ flags dormant; }'",
                  {"foreign: flags of the table (dormant?)"}}),
    [](const auto& kind) { return std::string(kind.param.name); });

TEST_F(FirewallChangeTest, AnAddedFlowtableIsSeen) {
  apply_both();
  try {
    run("nft 'add table ip try; add flowtable ip try f { hook ingress priority 0; }; delete table "
        "ip try'");
  } catch (const std::runtime_error&) {
    GTEST_SKIP() << "kernel lacks flowtables (CONFIG_NF_FLOW_TABLE_INET)";
  }
  run("nft add flowtable inet evojail extra '{ hook ingress priority 0; }'");
  EXPECT_THAT(drift_of({first, second}), ElementsAre("foreign: flowtable extra"));
}

// What nft cannot delete while it is in use: the kernel refuses, and the table stays whole.
TEST_F(FirewallChangeTest, WhatIsInUseCannotBeDeleted) {
  apply_both();
  for (const auto& object :
       {"set inet evojail jail/" + long_name + "/allow4", "map inet evojail ports"s,
        "chain inet evojail wall"s, "counter inet evojail stray"s}) {
    EXPECT_ANY_THROW(run("nft delete " + object)) << object;
  }
  EXPECT_THAT(drift_of({first, second}), IsEmpty());
}

/// This process has no netlink of netfilter's any more, as on a kernel without it.
bool lose_netfilter() {
  constexpr auto family = offsetof(seccomp_data, args[0]);
  constexpr auto protocol = offsetof(seccomp_data, args[2]);
  std::array filter{sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 5),
                    sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, family),
                    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 3),
                    sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, protocol),
                    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NETLINK_NETFILTER, 0, 1),
                    sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPROTONOSUPPORT),
                    sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{filter.size(), filter.data()};
  return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_F(FirewallChangeTest, WhereThereIsNoNfTablesThereIsNothingToRemove) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!lose_netfilter()) ::_exit(1);
    Firewall without("evojail");
    if (!without.remove(first.name)) ::_exit(2);
    const auto applied = without.apply(first);
    ::_exit(applied || applied.error().code() != EPROTONOSUPPORT ? 3 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(FirewallChangeTest, ATableOfAnotherNameIsAnother) {
  Firewall elsewhere("other-name");
  expect_done(elsewhere.apply(first));
  apply_both();
  expect_done(elsewhere.remove_table());
  EXPECT_THAT(drift_of({first, second}), IsEmpty());
}

}  // namespace
}  // namespace evojail::test
