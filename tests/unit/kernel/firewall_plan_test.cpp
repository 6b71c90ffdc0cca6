#include "kernel/firewall_plan.hpp"

#include <gmock/gmock.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <set>

#include "kernel/nftables_reply.hpp"

namespace evojail {
namespace {

using nft::Bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

FirewallJail jail(const std::string& name, std::uint16_t port, std::uint32_t uid,
                  std::vector<std::string> allow) {
  FirewallJail one;
  one.name = name;
  one.port = port;
  one.owner_uid = uid;
  for (const auto& network : allow) one.allow.push_back(parse_prefix(network).value());
  return one;
}

std::vector<std::pair<Bytes, Bytes>> merged(std::vector<std::string> networks,
                                            Prefix::Family family = Prefix::Family::v4) {
  return merge_networks(jail("x", 1, 0, std::move(networks)).allow, family);
}

TEST(MergeNetworks, OneHostIsAnIntervalOfOne) {
  EXPECT_THAT(merged({"192.0.2.7"}), ElementsAre(Pair(Bytes{192, 0, 2, 7}, Bytes{192, 0, 2, 7})));
}

TEST(MergeNetworks, APrefixGoesFromItsFirstAddressToItsLast) {
  EXPECT_THAT(merged({"10.99.0.2/31", "10.64.0.0/10"}),
              ElementsAre(Pair(Bytes{10, 64, 0, 0}, Bytes{10, 127, 255, 255})));
  EXPECT_THAT(merged({"192.0.2.64/27"}),
              ElementsAre(Pair(Bytes{192, 0, 2, 64}, Bytes{192, 0, 2, 95})));
}

TEST(MergeNetworks, NeighboursAndNestedNetworksBecomeOne) {
  EXPECT_THAT(merged({"10.0.1.0/24", "10.0.0.0/24", "10.0.0.7", "10.0.3.0/24"}),
              ElementsAre(Pair(Bytes{10, 0, 0, 0}, Bytes{10, 0, 1, 255}),
                          Pair(Bytes{10, 0, 3, 0}, Bytes{10, 0, 3, 255})));
}

TEST(MergeNetworks, TheLastAddressHasNoSuccessor) {
  EXPECT_THAT(merged({"255.255.255.255", "255.255.255.254"}),
              ElementsAre(Pair(Bytes{255, 255, 255, 254}, Bytes{255, 255, 255, 255})));
  EXPECT_THAT(merged({"0.0.0.0/0", "255.255.255.255", "10.0.0.0/8"}),
              ElementsAre(Pair(Bytes{0, 0, 0, 0}, Bytes{255, 255, 255, 255})));
}

TEST(MergeNetworks, FamiliesAreApart) {
  const std::vector<std::string> both = {"192.0.2.7", "2001:db8::/32"};
  EXPECT_EQ(merged(both).size(), 1U);
  const auto v6 = merged(both, Prefix::Family::v6);
  ASSERT_EQ(v6.size(), 1U);
  EXPECT_EQ(v6[0].first, (Bytes{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(v6[0].second, (Bytes{0x20, 1, 0xd, 0xb8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                 0xff, 0xff, 0xff, 0xff}));
}

TEST(FirewallNames, FitNftsLimitsAndSyntax) {
  const FirewallNames names("9" + std::string(63, '.'));
  std::set<std::string> all;
  for (const auto& name : names.chains()) all.insert(name);
  for (const auto& name : names.sets()) all.insert(name);
  for (const auto& name : names.counters()) all.insert(name);
  EXPECT_EQ(all.size(), 12U);
  for (const auto& name : all) {
    EXPECT_LE(name.size(), 80U);
    EXPECT_TRUE(name.starts_with("jail/"));
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789./"), std::string::npos);
  }
}

TEST(FirewallNames, NoTwoJailsMeet) {
  EXPECT_NE(FirewallNames("a").in, FirewallNames("a.in").in);
  EXPECT_NE(FirewallNames("in").out, FirewallNames("out").in);
}

bool drops(const nft::Rule& rule) {
  return rule.back() == nft::Expression(nft::Verdict{NF_DROP, {}});
}

TEST(PlanJail, WhateverIsNotAcceptedIsDropped) {
  for (const auto& allow :
       {std::vector<std::string>{}, {"192.0.2.7"}, {"::1"}, {"192.0.2.7", "::1"}}) {
    const auto table = plan_jail(jail("web1", 2222, 0x70000000, allow));
    const FirewallNames names("web1");
    EXPECT_EQ(table.chains.at(names.in).rules.size(), allow.size() + 1);
    EXPECT_TRUE(drops(table.chains.at(names.in).rules.back()));
    EXPECT_TRUE(drops(table.chains.at(names.out).rules.back()));
  }
}

TEST(PlanJail, OnlyWhatIsNeededIsMade) {
  FirewallJail one = jail("web1", 2222, 0x70000000, {"192.0.2.7"});
  const FirewallNames names("web1");
  auto table = plan_jail(one);
  EXPECT_TRUE(table.sets.contains(names.allow4));
  EXPECT_FALSE(table.sets.contains(names.allow6)) << "no IPv6 source";
  EXPECT_FALSE(table.sets.contains(names.recent4)) << "no limit";
  one.new_connections_per_minute = 60;
  table = plan_jail(one);
  EXPECT_TRUE(table.sets.contains(names.recent4));
  EXPECT_FALSE(table.sets.contains(names.recent6));
  one.allow_all = true;
  table = plan_jail(one);
  EXPECT_FALSE(table.sets.contains(names.allow4)) << "everybody is allowed";
  EXPECT_TRUE(table.sets.contains(names.recent6));
  one.owner_uid = 0;
  table = plan_jail(one);
  EXPECT_FALSE(table.chains.contains(names.out)) << "no uid, no way out";
  EXPECT_FALSE(table.sets.contains(firewall_names::owners));
}

TEST(PlanJail, SourcesOfConnectionsAreBounded) {
  FirewallJail one = jail("web1", 2222, 0x70000000, {"192.0.2.7", "::1"});
  one.new_connections_per_minute = 60;
  const auto table = plan_jail(one);
  const FirewallNames names("web1");
  for (const auto& name : {names.recent4, names.recent6}) {
    const nft::Set& set = table.sets.at(name);
    EXPECT_EQ(set.size, 1024U) << "a flood cannot fill the memory";
    EXPECT_EQ(set.timeout_ms, 60'000U);
    EXPECT_EQ(set.flags, std::uint32_t{NFT_SET_EVAL | NFT_SET_TIMEOUT});
  }
}

TEST(PlanTable, OneLookupLeadsToTheJail) {
  const auto table =
      plan_table(std::vector{jail("b", 2223, 0x70020000, {}), jail("a", 2222, 0x70000000, {})});
  ASSERT_TRUE(table);
  const auto& ports = table->sets.at(std::string(firewall_names::ports));
  ASSERT_EQ(ports.elements.size(), 2U);
  EXPECT_EQ(ports.elements[0].low, (Bytes{2222 >> 8, 2222 & 0xff}));
  EXPECT_EQ(ports.elements[0].verdict, (nft::Verdict{NFT_GOTO, "jail/a/in"}));
  EXPECT_EQ(table->chains.at(std::string(firewall_names::input)).rules.size(), 1U);
  EXPECT_EQ(table->chains.at(std::string(firewall_names::output)).rules.size(), 1U);
}

TEST(PlanTable, BaseChainsAcceptWhatIsNoJails) {
  const auto table = plan_table({});
  ASSERT_TRUE(table);
  const auto hook = [&](std::string_view name) { return table->chains.find(name)->second.hook; };
  EXPECT_EQ(hook(firewall_names::input), (nft::Hook{NF_INET_LOCAL_IN, 0, NF_ACCEPT, "filter"}));
  EXPECT_EQ(hook(firewall_names::output), (nft::Hook{NF_INET_LOCAL_OUT, 0, NF_ACCEPT, "filter"}));
}

TEST(PlanTable, WhatTwoJailsHaveIsAnError) {
  const auto message = [](std::vector<FirewallJail> jails) {
    const auto planned = plan_table(jails);
    return planned ? std::string() : planned.error().message();
  };
  EXPECT_EQ(message({jail("a", 1, 0x70000000, {}), jail("b", 1, 0x70020000, {})}),
            "jails 'a' and 'b' have the same port");
  EXPECT_EQ(message({jail("a", 1, 0x70000000, {}), jail("b", 2, 0x70000000, {})}),
            "jails 'a' and 'b' have the same uid range");
  EXPECT_EQ(message({jail("a", 1, 0, {}), jail("a", 2, 0, {})}), "jail 'a' is named twice");
  EXPECT_EQ(message({jail("a", 1, 0, {}), jail("b", 2, 0, {})}), "")
      << "no range yet, both of them";
}

TEST(PlanTable, AJailWithoutAPortOrWithAForeignUidIsAnError) {
  EXPECT_FALSE(plan_table(std::vector{jail("a", 0, 0x70000000, {})}));
  for (const std::uint32_t uid : {1000U, 0x6fffffffU, 0x7ffe0000U, 0x80010000U}) {
    const auto planned = plan_table(std::vector{jail("a", 1, uid, {})});
    ASSERT_FALSE(planned) << uid;
    EXPECT_THAT(planned.error().message(), HasSubstr("1879048192 to 2147352575"));
  }
  EXPECT_TRUE(plan_table(std::vector{jail("a", 1, 0x70000000 + 2046U * 0x20000U, {})}));
}

nft::FoundElement begin(Bytes key) { return {{key, key, std::nullopt, {}}, false, false}; }
nft::FoundElement past_end(Bytes key) { return {{key, key, std::nullopt, {}}, true, false}; }

TEST(JoinElements, IntervalsComeBackAsTheyWerePlanned) {
  const auto joined = nft::join_elements({past_end({10, 0, 1, 0}), begin({240, 0, 0, 0}),
                                          begin({10, 0, 0, 0}), past_end({0, 0, 0, 0})},
                                         true);
  ASSERT_EQ(joined.size(), 2U);
  EXPECT_EQ(joined[0].low, (Bytes{10, 0, 0, 0}));
  EXPECT_EQ(joined[0].high, (Bytes{10, 0, 0, 255}));
  EXPECT_EQ(joined[1].high, (Bytes{255, 255, 255, 255})) << "no end: to the last address";
}

TEST(JoinElements, NeighboursShareAKey) {
  const auto joined =
      nft::join_elements({begin({2}), past_end({2}), begin({1}), past_end({3})}, true);
  ASSERT_EQ(joined.size(), 2U);
  EXPECT_EQ(joined[0].high, Bytes{1});
  EXPECT_EQ(joined[1].low, Bytes{2});
  EXPECT_EQ(joined[1].high, Bytes{2});
}

TEST(JoinElements, ABeginningEndsTheIntervalBefore) {
  const auto joined = nft::join_elements({begin({5}), begin({9})}, true);
  ASSERT_EQ(joined.size(), 2U);
  EXPECT_EQ(joined[0].high, Bytes{8});
  EXPECT_EQ(joined[1].high, Bytes{255});
}

TEST(JoinElements, KeysOfAnOrdinarySetStayWhatTheyAre) {
  const auto joined = nft::join_elements({begin({9}), begin({5})}, false);
  ASSERT_EQ(joined.size(), 2U);
  EXPECT_EQ(joined[0].low, Bytes{5});
  EXPECT_EQ(joined[0].high, Bytes{5});
  EXPECT_THAT(nft::join_elements({}, true), IsEmpty());
}

}  // namespace
}  // namespace evojail
