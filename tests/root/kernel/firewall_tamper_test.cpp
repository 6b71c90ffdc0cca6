// Rules that somebody else changes are seen, and put back.

#include <gmock/gmock.h>

#include "firewall_change_fixture.hpp"

namespace evojail::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::string_literals;

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

}  // namespace
}  // namespace evojail::test
