#include <gmock/gmock.h>
#include <sys/socket.h>

#include "firewall_fixture.hpp"

namespace evojail::test {
namespace {

using ::testing::IsEmpty;
using namespace std::string_literals;
using N = Network;

class FirewallInputTest : public FirewallTest {};

TEST_F(FirewallInputTest, WithoutATableEverybodyConnects) {
  for (const char* from : {N::client4, N::other4, N::far4}) {
    EXPECT_TRUE(reaches(from, N::host4, port)) << from;
  }
  for (const char* from : {N::client6, N::other6, N::far6}) {
    EXPECT_TRUE(reaches(from, N::host6, port)) << from;
  }
}

TEST_F(FirewallInputTest, OnlyTheAllowedAddressConnects) {
  expect_done(firewall.apply(jail_at("web1", port, kFirstUid, {N::client4})));
  EXPECT_TRUE(reaches(N::client4, N::host4, port));
  EXPECT_TRUE(is_refused("web1", N::other4, N::host4, port));
  EXPECT_TRUE(is_refused("web1", N::far4, N::host4, port));
  EXPECT_TRUE(is_refused("web1", N::client6, N::host6, port)) << "no IPv6 address is on the list";
}

TEST_F(FirewallInputTest, OnlyTheAllowedIpv6AddressConnects) {
  expect_done(firewall.apply(jail_at("web1", port, kFirstUid, {N::client6})));
  EXPECT_TRUE(reaches(N::client6, N::host6, port));
  EXPECT_TRUE(is_refused("web1", N::other6, N::host6, port));
  EXPECT_TRUE(is_refused("web1", N::far6, N::host6, port));
  EXPECT_TRUE(is_refused("web1", N::client4, N::host4, port)) << "no IPv4 address is on the list";
}

TEST_F(FirewallInputTest, PrefixesAllowWhatLiesInThem) {
  // .2 and .3 are 10.99.0.2/31; the overlap and the neighbours are merged.
  expect_done(firewall.apply(
      jail_at("web1", port, kFirstUid, {"10.99.0.2/31", N::other4, "fd99::/64", "10.99.0.4/30"})));
  EXPECT_TRUE(reaches(N::client4, N::host4, port));
  EXPECT_TRUE(reaches(N::other4, N::host4, port));
  EXPECT_TRUE(is_refused("web1", N::far4, N::host4, port));
  EXPECT_TRUE(reaches(N::other6, N::host6, port));
  EXPECT_TRUE(is_refused("web1", N::far6, N::host6, port));
}

TEST_F(FirewallInputTest, AllowAllLetsEverybodyIn) {
  FirewallJail jail = jail_at("web1", port, kFirstUid, {N::client4});
  jail.allow_all = true;
  expect_done(firewall.apply(jail));
  EXPECT_TRUE(reaches(N::far4, N::host4, port));
  EXPECT_TRUE(reaches(N::far6, N::host6, port));
}

TEST_F(FirewallInputTest, WholeAddressSpacesAreNetworksToo) {
  expect_done(firewall.apply(jail_at("web1", port, kFirstUid, {"0.0.0.0/0", "::/0"})));
  EXPECT_TRUE(reaches(N::far4, N::host4, port));
  EXPECT_TRUE(reaches(N::far6, N::host6, port));
}

TEST_F(FirewallInputTest, AnEmptyListLetsNobodyIn) {
  expect_done(firewall.apply(jail_at("web1", port, kFirstUid, {})));
  EXPECT_TRUE(is_refused("web1", N::client4, N::host4, port));
  EXPECT_TRUE(is_refused("web1", N::client6, N::host6, port));
}

TEST_F(FirewallInputTest, LoopbackIsASourceLikeAnother) {
  expect_done(firewall.apply(jail_at("web1", port, kFirstUid, {"127.0.0.1"})));
  EXPECT_TRUE(connected(start_connect("127.0.0.1", "127.0.0.1", port)));
  expect_done(firewall.apply(jail_at("web1", port, kFirstUid, {N::client4})));
  const Fd socket = start_connect("127.0.0.1", "127.0.0.1", port);
  EXPECT_TRUE(eventually([&] { return counters("web1").refused.packets > 0; }));
  EXPECT_TRUE(still_connecting(socket));
}

TEST_F(FirewallInputTest, AnAddressTakenOffTheListIsUnheardInItsOwnConnection) {
  FirewallJail jail = jail_at("web1", port, kFirstUid, {N::client4, N::other4});
  expect_done(firewall.apply(jail));
  const Fd removed = dial(N::client4, N::host4, port);
  ASSERT_TRUE(connected(removed));
  const Fd removed_here = accept_as_uid(listener, kFirstUid);
  const Fd kept = dial(N::other4, N::host4, port);
  ASSERT_TRUE(connected(kept));
  const Fd kept_here = accept_as_uid(listener, kFirstUid);
  ASSERT_TRUE(carries(removed, removed_here, "before"));

  jail.allow.erase(jail.allow.begin());
  expect_done(firewall.apply(jail));
  const auto before = counters("web1").refused.packets;
  ASSERT_EQ(::send(removed.get(), "after", 5, MSG_NOSIGNAL), 5);
  EXPECT_TRUE(eventually([&] { return counters("web1").refused.packets > before; }));
  char byte = 0;
  EXPECT_EQ(::recv(removed_here.get(), &byte, 1, 0), -1);
  EXPECT_TRUE(carries(kept, kept_here, "still here"));
  EXPECT_TRUE(carries(kept_here, kept, "and back"));
}

TEST_F(FirewallInputTest, TwoJailsAreIndependent) {
  const FirewallJail first = jail_at("web1", port, kFirstUid, {N::client4});
  FirewallJail second = jail_at("web2", other_port, kSecondUid, {N::other4});
  expect_done(firewall.apply(first));
  expect_done(firewall.apply(second));
  EXPECT_TRUE(reaches(N::client4, N::host4, port));
  EXPECT_TRUE(is_refused("web2", N::client4, N::host4, other_port));
  EXPECT_TRUE(reaches(N::other4, N::host4, other_port));
  EXPECT_TRUE(is_refused("web1", N::other4, N::host4, port));

  const auto count = counters("web1");
  second.allow_all = true;
  expect_done(firewall.apply(second));
  EXPECT_TRUE(reaches(N::client4, N::host4, other_port));
  EXPECT_EQ(counters("web1").received, count.received);
  expect_done(firewall.remove("web2"));
  EXPECT_TRUE(reaches(N::client4, N::host4, other_port))
      << "a port that is no jail's is left alone";
  EXPECT_TRUE(is_refused("web1", N::other4, N::host4, port));
  EXPECT_THAT(drift_of({first}), IsEmpty());
}

TEST_F(FirewallInputTest, APortThatIsNoJailsIsLeftAlone) {
  expect_done(firewall.apply(jail_at("web1", port, kFirstUid, {})));
  EXPECT_TRUE(reaches(N::client4, N::host4, other_port));
}

TEST_F(FirewallInputTest, AChangedPortTakesItsRulesAlong) {
  FirewallJail jail = jail_at("web1", port, kFirstUid, {N::client4});
  expect_done(firewall.apply(jail));
  EXPECT_TRUE(is_refused("web1", N::other4, N::host4, port));
  jail.port = other_port;
  expect_done(firewall.apply(jail));
  EXPECT_TRUE(reaches(N::other4, N::host4, port)) << "the old port is no jail's any more";
  EXPECT_TRUE(is_refused("web1", N::other4, N::host4, other_port));
  EXPECT_THAT(drift_of({jail}), IsEmpty());
}

TEST_F(FirewallInputTest, ConnectionsBeyondTheLimitAreDropped) {
  FirewallJail jail =
      jail_at("web1", port, kFirstUid, {N::client4, N::other4, "fd99::/64", N::far6});
  jail.new_connections_per_minute = 3;
  expect_done(firewall.apply(jail));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(reaches(N::client4, N::host4, port)) << i;
  const Fd fourth = dial(N::client4, N::host4, port);
  EXPECT_TRUE(eventually([&] { return counters("web1").limited.packets > 0; }));
  EXPECT_TRUE(still_connecting(fourth));
  EXPECT_TRUE(reaches(N::other4, N::host4, port)) << "another source has a limit of its own";

  // One host has a whole /64, which therefore counts as one source.
  const auto before = counters("web1").limited.packets;
  for (const char* from : {N::client6, N::other6, N::client6}) {
    EXPECT_TRUE(reaches(from, N::host6, port)) << from;
  }
  const Fd fourth6 = dial(N::other6, N::host6, port);
  EXPECT_TRUE(eventually([&] { return counters("web1").limited.packets > before; }));
  EXPECT_TRUE(still_connecting(fourth6));
  EXPECT_TRUE(reaches(N::far6, N::host6, port));
}

// Remembered sources are bounded, and a list that is full locks nobody out.
TEST_F(FirewallInputTest, AFloodOfSourcesIsNotRememberedAndLocksNobodyOut) {
  run("ip route add 10.97.0.0/16 via "s + N::client4);
  network.as_client([] { return run("ip route add local 10.97.0.0/16 dev lo"); });
  FirewallJail jail = jail_at("web1", port, kFirstUid, {});
  jail.allow_all = true;
  jail.new_connections_per_minute = 1;
  expect_done(firewall.apply(jail));
  EXPECT_TRUE(reaches("10.97.0.1", N::host4, port));
  const Fd again = dial("10.97.0.1", N::host4, port);
  EXPECT_TRUE(eventually([&] { return counters("web1").limited.packets > 0; }));
  EXPECT_TRUE(still_connecting(again));
  for (int i = 0; i < 1100; ++i) {
    const auto from = "10.97." + std::to_string(1 + i / 250) + "." + std::to_string(1 + i % 250);
    dial(from, N::host4, port);
    while (somebody_waits(listener)) accept_as_uid(listener, 0);  // the queue holds 128
  }
  EXPECT_TRUE(reaches("10.97.200.1", N::host4, port));
  EXPECT_TRUE(reaches("10.97.200.1", N::host4, port)) << "not remembered, so not limited";
  const std::string listed = run("nft -j list set inet evojail jail/web1/recent4");
  std::size_t remembered = 0;
  for (auto at = listed.find("10.97."); at != std::string::npos;
       at = listed.find("10.97.", at + 1)) {
    ++remembered;
  }
  EXPECT_EQ(remembered, 1024U);
}

TEST_F(FirewallInputTest, TheLimitIsOnConnectionsNotOnPackets) {
  FirewallJail jail = jail_at("web1", port, kFirstUid, {N::client4});
  jail.new_connections_per_minute = 1;
  expect_done(firewall.apply(jail));
  const Fd client = dial(N::client4, N::host4, port);
  ASSERT_TRUE(connected(client));
  const Fd here = accept_as_uid(listener, kFirstUid);
  // A SYN that a busy machine answers late comes a second time.
  const auto limited = counters("web1").limited.packets;
  EXPECT_TRUE(carries(client, here, std::string(4 << 20, 'x')));
  EXPECT_EQ(counters("web1").limited.packets, limited);
}

TEST_F(FirewallInputTest, AChangeOfAddressesKeepsTheLimitsUnderWay) {
  FirewallJail jail = jail_at("web1", port, kFirstUid, {N::client4});
  jail.new_connections_per_minute = 1;
  expect_done(firewall.apply(jail));
  EXPECT_TRUE(reaches(N::client4, N::host4, port));
  jail.allow.push_back(value_of(parse_prefix(N::other4)));
  expect_done(firewall.apply(jail));
  const Fd second = dial(N::client4, N::host4, port);
  EXPECT_TRUE(eventually([&] { return counters("web1").limited.packets > 0; }));
  EXPECT_TRUE(still_connecting(second));
}

TEST_F(FirewallInputTest, BytesAreCountedBothWays) {
  expect_done(firewall.apply(jail_at("web1", port, kFirstUid, {N::client4})));
  const Fd client = dial(N::client4, N::host4, port);
  ASSERT_TRUE(connected(client));
  const Fd here = accept_as_uid(listener, kFirstUid);
  ASSERT_TRUE(carries(client, here, std::string(100'000, 'a')));
  ASSERT_TRUE(carries(here, client, std::string(50'000, 'b')));
  const auto count = counters("web1");
  EXPECT_GE(count.received.bytes, 100'000U);
  EXPECT_GE(count.sent.bytes, 50'000U);
  EXPECT_LT(count.sent.bytes, 100'000U);
  EXPECT_EQ(count.refused.packets + count.limited.packets + count.stopped.packets, 0U);
}

}  // namespace
}  // namespace evojail::test
