#include "kernel/firewall_watch.hpp"

#include <gmock/gmock.h>
#include <poll.h>

#include "firewall_fixture.hpp"

namespace evojail::test {
namespace {

using N = Network;

class FirewallWatchTest : public FirewallTest {
 protected:
  FirewallJail jail = jail_at("web1", port, kFirstUid, {N::client4});

  /// Whether anything has arrived; the kernel reports within the change's own system call.
  static bool readable(const FirewallWatch& watch) {
    pollfd one{watch.fd(), POLLIN, 0};
    return ::poll(&one, 1, 0) == 1;
  }
};

TEST_F(FirewallWatchTest, HearsOfEveryChangeToTheTable) {
  expect_done(firewall.apply(jail));
  FirewallWatch watch = value_of(FirewallWatch::open(firewall));
  EXPECT_FALSE(readable(watch));
  EXPECT_FALSE(value_of(watch.changed()));
  for (const char* command :
       {"nft insert rule inet evojail jail/web1/in accept",
        "nft add element inet evojail jail/web1/allow4 '{ 192.0.2.1 }'",
        "nft delete element inet evojail jail/web1/allow4 '{ 192.0.2.1 }'",
        "nft flush chain inet evojail jail/web1/in", "nft add chain inet evojail extra",
        "nft delete chain inet evojail extra", "nft add counter inet evojail extra",
        "nft flush set inet evojail jail/web1/allow4", "nft delete table inet evojail",
        "nft add table inet evojail"}) {
    run(command);
    EXPECT_TRUE(readable(watch)) << command;
    EXPECT_TRUE(value_of(watch.changed())) << command;
    EXPECT_FALSE(value_of(watch.changed())) << command;
  }
}

TEST_F(FirewallWatchTest, HearsOfAFlushedRuleset) {
  expect_done(firewall.apply(jail));
  FirewallWatch watch = value_of(FirewallWatch::open(firewall));
  run("nft flush ruleset");
  EXPECT_TRUE(value_of(watch.changed()));
  expect_done(firewall.replace_all(std::vector{jail}));
  EXPECT_TRUE(value_of(firewall.compare(std::vector{jail})).none());
  EXPECT_FALSE(value_of(watch.changed())) << "putting it back is no news";
}

TEST_F(FirewallWatchTest, PassesOverItsOwnChangesAndOtherTables) {
  expect_done(firewall.apply(jail));
  FirewallWatch watch = value_of(FirewallWatch::open(firewall));
  jail.allow.clear();
  expect_done(firewall.apply(jail));
  run("nft add table inet evojail2; nft add table ip evojail; nft add chain ip evojail input");
  EXPECT_TRUE(readable(watch));
  EXPECT_FALSE(value_of(watch.changed()));
}

TEST_F(FirewallWatchTest, AnotherProcessOfOursIsSomebodyElse) {
  FirewallWatch watch = value_of(FirewallWatch::open(firewall));
  Firewall other("evojail");
  expect_done(other.apply(jail));
  EXPECT_TRUE(value_of(watch.changed()));
}

TEST_F(FirewallWatchTest, LostMessagesCountAsAChange) {
  FirewallWatch watch = value_of(FirewallWatch::open(firewall));
  const int little = 1;
  ASSERT_EQ(::setsockopt(watch.fd(), SOL_SOCKET, SO_RCVBUF, &little, sizeof little), 0);
  for (int i = 0; i < 50; ++i) run("nft add table ip noise" + std::to_string(i));
  EXPECT_TRUE(value_of(watch.changed()));
  EXPECT_FALSE(value_of(watch.changed()));
}

TEST_F(FirewallWatchTest, ListsTheChainsThatCanDropWhatIsAccepted) {
  expect_done(firewall.apply(jail));
  EXPECT_TRUE(value_of(firewall.other_chains()).empty());
  run(R"(nft -f - <<'END'
table inet filter {
  chain input { type filter hook input priority 10; policy drop; tcp dport 22 accept; }
  chain forward { type filter hook forward priority 0; policy drop; }
  chain bans { drop; }
  chain output { type filter hook output priority -10; policy accept; tcp dport 25 reject; }
}
table ip counts {
  chain input { type filter hook input priority -5; counter; accept; }
}
table ip6 early {
  chain pre { type filter hook prerouting priority raw; ip6 saddr vmap { ::1 : drop }; }
}
END)");
  const auto chains = value_of(firewall.other_chains());
  std::vector<std::string> lines;
  for (const auto& chain : chains) {
    lines.push_back(chain.family + " " + chain.table + " " + chain.chain + " " + chain.hook + " " +
                    std::to_string(chain.priority) + (chain.policy_drop ? " policy drop" : "") +
                    (chain.may_drop ? " may drop" : ""));
  }
  EXPECT_THAT(lines, ::testing::ElementsAre("ip counts input input -5",
                                            "inet filter input input 10 policy drop may drop",
                                            "inet filter output output -10 may drop",
                                            "ip6 early pre prerouting -300 may drop"));
  // Why it matters: an accept here does not open what a drop there closes.
  const Fd socket = dial(N::client4, N::host4, port);
  EXPECT_TRUE(eventually([&] { return counters("web1").received.packets > 0; }));
  EXPECT_TRUE(still_connecting(socket));
}

}  // namespace
}  // namespace evojail::test
