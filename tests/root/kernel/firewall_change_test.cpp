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

#include "firewall_change_fixture.hpp"

namespace evojail::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using N = Network;

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
