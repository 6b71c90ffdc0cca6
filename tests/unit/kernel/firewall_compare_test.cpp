#include "kernel/firewall_compare.hpp"

#include <gmock/gmock.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <cstring>

#include "kernel/firewall_change.hpp"
#include "kernel/firewall_plan.hpp"

namespace evojail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

FirewallJail web1() {
  FirewallJail jail;
  jail.name = "web1";
  jail.port = 2222;
  jail.owner_uid = 0x70000000;
  jail.new_connections_per_minute = 60;
  for (const char* network : {"192.0.2.7", "2001:db8::/32"}) {
    jail.allow.push_back(parse_prefix(network).value());
  }
  return jail;
}

class CompareTables : public ::testing::Test {
 protected:
  nft::Table wanted = plan_table(std::vector{web1()}).value();
  nft::Table found = wanted;
  FirewallNames names{"web1"};

  [[nodiscard]] FirewallDrift drift() const { return compare_tables(wanted, found); }
};

TEST_F(CompareTables, TheSameIsNoDrift) { EXPECT_TRUE(drift().none()); }

TEST_F(CompareTables, CountersDoNotCountAsDrift) {
  found.counters.begin()->second = {17, 4711};
  found.sets.begin()->second.elements.front().comment = "another comment";
  EXPECT_TRUE(drift().none());
}

TEST_F(CompareTables, TheOrderOfRulesMatters) {
  auto& rules = found.chains.at(names.in).rules;
  std::swap(rules[0], rules[1]);
  EXPECT_THAT(drift().missing, ElementsAre("rule 2 of chain jail/web1/in"));
  EXPECT_THAT(drift().foreign, ElementsAre("a rule in chain jail/web1/in"));
}

TEST_F(CompareTables, ARuleTwiceIsForeign) {
  auto& rules = found.chains.at(names.in).rules;
  rules.insert(rules.begin(), rules.front());
  EXPECT_THAT(drift().missing, IsEmpty());
  EXPECT_THAT(drift().foreign, ElementsAre("a rule in chain jail/web1/in"));
}

TEST_F(CompareTables, AVerdictOfAnElementMatters) {
  found.sets.at("ports").elements.front().verdict = nft::Verdict{NF_ACCEPT, {}};
  EXPECT_THAT(drift().missing, ElementsAre("element 2222 of set ports"));
  EXPECT_THAT(drift().foreign, ElementsAre("element 2222 of set ports"));
}

TEST_F(CompareTables, AnElementThatCarriesMoreIsAnother) {
  found.sets.at(names.allow4).elements.front().extra = true;
  EXPECT_THAT(drift().missing, ElementsAre("element 192.0.2.7 of set jail/web1/allow4"));
  EXPECT_THAT(drift().foreign, ElementsAre("element 192.0.2.7 of set jail/web1/allow4"));
}

TEST_F(CompareTables, AnElementForAllKeysIsForeign) {
  found.sets.at("ports").elements.insert(found.sets.at("ports").elements.begin(),
                                         {{}, {}, nft::Verdict{NF_DROP, {}}, {}});
  EXPECT_THAT(drift().foreign, ElementsAre("element * of set ports"));
}

TEST_F(CompareTables, ASetOfAnotherKindIsForeign) {
  found.sets.at(names.recent4).size = 1;
  EXPECT_THAT(drift().foreign, ElementsAre("type, size or flags of set jail/web1/recent4"));
}

TEST_F(CompareTables, NamesOfStrangersArePrintable) {
  found.chains["\x1b[2J"] = {};
  found.other.emplace_back("object \n");
  EXPECT_THAT(drift().foreign, ElementsAre("chain \\x1b[2J", "object \\x0a"));
}

class PutChanges : public CompareTables {
 protected:
  nft::Batch batch{"evojail"};

  /// How many messages the change from `found` to `wanted` takes.
  std::size_t messages() {
    nft::Batch fresh("evojail");
    const auto changed = put_changes(fresh, found, wanted);
    EXPECT_TRUE(changed);
    const auto bytes = fresh.finish();
    std::size_t count = 0;
    for (std::size_t at = 0; at < bytes.size(); ++count) {
      std::uint32_t length = 0;
      std::memcpy(&length, bytes.data() + at, sizeof length);
      at += (length + 3U) & ~3U;
    }
    EXPECT_EQ(*changed, count > 2) << "beginning and end are no change";
    return count - 2;
  }
};

TEST_F(PutChanges, NothingIsDoneForTheSame) { EXPECT_EQ(messages(), 0U); }

TEST_F(PutChanges, OneAddressIsOneElementOut) {
  auto more = web1();
  more.allow.push_back(parse_prefix("198.51.100.1").value());
  wanted = plan_table(std::vector{more}).value();
  EXPECT_EQ(messages(), 1U);
  std::swap(wanted, found);
  EXPECT_EQ(messages(), 1U);
}

TEST_F(PutChanges, AnotherLimitRewritesOneChain) {
  auto more = web1();
  more.new_connections_per_minute = 61;
  wanted = plan_table(std::vector{more}).value();
  EXPECT_EQ(messages(), 1U + 4U) << "emptied, and four rules";
}

TEST_F(PutChanges, AMapThatIsAnotherCannotBeMended) {
  found.sets.at("ports").flags |= NFT_SET_TIMEOUT;
  const auto changed = put_changes(batch, found, wanted);
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().message(), "map 'ports' of the firewall's table was changed by hand");
  EXPECT_THAT(changed.error().hint(), ::testing::HasSubstr("nft delete table"));
}

TEST_F(PutChanges, AJailsChainOnAHookCannotBeMended) {
  found.chains.at(names.in).hook = nft::Hook{NF_INET_LOCAL_IN, 0, NF_ACCEPT, "filter"};
  EXPECT_FALSE(put_changes(batch, found, wanted));
}

TEST(Batch, SaysWhatEachMessageDoes) {
  nft::Batch batch("evojail");
  batch.add_table();
  batch.add_chain("jail/web1/in", {});
  batch.add_rule("jail/web1/in", {});
  using Step = std::pair<std::string, std::string>;
  EXPECT_EQ(batch.describe(1), Step("adding", "table inet evojail"));
  EXPECT_EQ(batch.describe(2), Step("adding", "chain jail/web1/in of table inet evojail"));
  EXPECT_EQ(batch.describe(3),
            Step("adding a rule to", "chain jail/web1/in of table inet evojail"));
  EXPECT_EQ(batch.describe(0), Step("changing", "table inet evojail")) << "the whole transaction";
  EXPECT_EQ(batch.describe(99), Step("changing", "table inet evojail"));
}

}  // namespace
}  // namespace evojail
