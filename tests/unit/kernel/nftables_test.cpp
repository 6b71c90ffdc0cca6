#include <gmock/gmock.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <cstring>
#include <iterator>
#include <memory>
#include <stdexcept>

#include "kernel/firewall_plan.hpp"
#include "kernel/nftables_batch.hpp"
#include "kernel/nftables_encode.hpp"
#include "kernel/nftables_reply.hpp"

namespace evojail::nft {
namespace {

using OwnedRule = std::unique_ptr<nftnl_rule, void (*)(const nftnl_rule*)>;

/// What is read of the message that libnftnl writes for a rule of this one expression.
Expression written_and_read(nftnl_expr* expression) {
  const OwnedRule rule(nftnl_rule_alloc(), nftnl_rule_free);
  nftnl_rule_set_str(rule.get(), NFTNL_RULE_TABLE, "evojail");
  nftnl_rule_set_str(rule.get(), NFTNL_RULE_CHAIN, "c");
  nftnl_rule_add_expr(rule.get(), expression);
  alignas(nlmsghdr) char buffer[4096];
  nlmsghdr* header = nftnl_nlmsg_build_hdr(buffer, NFT_MSG_NEWRULE, NFPROTO_INET, 0, 1);
  nftnl_rule_nlmsg_build_payload(header, rule.get());
  const auto found = decode_rule(*header);
  if (!found || found->rule.size() != 1) throw std::runtime_error("no rule of one expression");
  return found->rule[0];
}

TEST(Expressions, ComeBackAsTheyWereSent) {
  for (const Expression& expression : std::initializer_list<Expression>{
           Meta{NFT_META_SKUID}, Payload{NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2}, ToNetworkOrder{},
           Mask{{0x12}}, Mask{Bytes(16, 0xff)}, Compare{NFT_CMP_GTE, {0x70, 0, 0, 0}},
           Lookup{"jail/web1/allow4", false}, Lookup{"ports", true},
           LimitOver{"jail/web1/recent4", 60, 60, 60}, CountIn{"stray"}, Verdict{NF_DROP, {}},
           Verdict{NF_ACCEPT, {}}, Verdict{NFT_RETURN, {}}, Verdict{NFT_GOTO, "wall"}}) {
    EXPECT_EQ(written_and_read(encode(expression)), expression) << expression.index();
  }
}

struct Twist {
  const char* what;
  Expression expression;
  std::uint16_t attribute;
  std::uint32_t value;
};

class Twisted : public ::testing::TestWithParam<Twist> {};

TEST_P(Twisted, IsAnother) {
  const auto& [what, expression, attribute, value] = GetParam();
  nftnl_expr* twisted = encode(expression);
  nftnl_expr_set_u32(twisted, attribute, value);
  EXPECT_NE(written_and_read(twisted), expression);
}

INSTANTIATE_TEST_SUITE_P(
    Attributes, Twisted,
    ::testing::Values(
        Twist{"MetaIntoAnotherRegister", Meta{NFT_META_SKUID}, NFTNL_EXPR_META_DREG, NFT_REG_2},
        Twist{"CompareOfAnotherRegister", Compare{NFT_CMP_EQ, {6}}, NFTNL_EXPR_CMP_SREG, NFT_REG_2},
        Twist{"CompareTheOtherWay", Compare{NFT_CMP_EQ, {6}}, NFTNL_EXPR_CMP_OP, NFT_CMP_NEQ},
        Twist{"LookupInverted", Lookup{"s", false}, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV},
        Twist{"LookupIntoARegister", Lookup{"s", true}, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_1},
        Twist{"ShiftInsteadOfMask", Mask{{0x12}}, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_LSHIFT},
        Twist{"PayloadElsewhere", Payload{NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2},
              NFTNL_EXPR_PAYLOAD_OFFSET, 0},
        Twist{"PayloadThatWrites", Payload{NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2},
              NFTNL_EXPR_PAYLOAD_SREG, NFT_REG_1},
        Twist{"ToHostOrder", ToNetworkOrder{}, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_NTOH},
        Twist{"QuotaInsteadOfCounter", CountIn{"c"}, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_QUOTA},
        Twist{"AcceptInsteadOfDrop", Verdict{NF_DROP, {}}, NFTNL_EXPR_IMM_VERDICT, NF_ACCEPT},
        Twist{"LimitThatIsInverted", LimitOver{"s", 1, 60, 1}, NFTNL_EXPR_DYNSET_FLAGS,
              NFT_DYNSET_F_INV},
        Twist{"LimitOfAnotherKind", LimitOver{"s", 1, 60, 1}, NFTNL_EXPR_DYNSET_OP,
              NFT_DYNSET_OP_ADD}),
    [](const auto& twist) { return std::string(twist.param.what); });

TEST(Expressions, AXorIsNoMask) {
  nftnl_expr* twisted = encode(Mask{{0x12}});
  const std::uint8_t flip = 1;
  nftnl_expr_set(twisted, NFTNL_EXPR_BITWISE_XOR, &flip, sizeof flip);
  EXPECT_NE(written_and_read(twisted), Expression(Mask{{0x12}}));
}

TEST(Expressions, OfOtherKindsAreOther) {
  EXPECT_EQ(written_and_read(nftnl_expr_alloc("log")), Expression(Other{"log"}));
}

/// The messages of a batch, each readable as the kernel's own report of the object would be.
std::vector<std::vector<char>> messages(Batch& batch) {
  const auto bytes = batch.finish();
  std::vector<std::vector<char>> all;
  for (std::size_t at = 0; at < bytes.size();) {
    nlmsghdr header{};
    std::memcpy(&header, bytes.data() + at, sizeof header);
    all.emplace_back(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                     bytes.begin() + static_cast<std::ptrdiff_t>(at + header.nlmsg_len));
    at += NLMSG_ALIGN(header.nlmsg_len);
  }
  return all;
}

const nlmsghdr& header(const std::vector<char>& message) {
  return *reinterpret_cast<const nlmsghdr*>(message.data());
}

TEST(Messages, AreReadAsTheyWereWritten) {
  FirewallJail jail;
  jail.name = "web1";
  jail.port = 2222;
  jail.owner_uid = 0x70000000;
  jail.new_connections_per_minute = 60;
  jail.allow.push_back(parse_prefix("192.0.2.0/24").value());
  jail.allow.push_back(parse_prefix("240.0.0.0/4").value());
  const Table planned = plan_table(std::vector{jail}).value();

  Batch batch("evojail");
  batch.add_table();
  for (const auto& [name, count] : planned.counters) batch.add_counter(name, {3, 4});
  for (const auto& [name, set] : planned.sets) {
    batch.add_set(name, set);
    batch.add_elements(name, set);
  }
  for (const auto& [name, chain] : planned.chains) {
    batch.add_chain(name, chain);
    for (const auto& rule : chain.rules) batch.add_rule(name, rule);
  }

  Table read;
  std::string last_set;
  const Owner owner{NFPROTO_INET, "evojail"};
  for (const auto& message : messages(batch)) {
    const nlmsghdr& one = header(message);
    if (one.nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES) continue;  // the batch's own
    EXPECT_EQ(decode_owner(one), owner);
    switch (one.nlmsg_type & 0xff) {
      case NFT_MSG_NEWTABLE:
        EXPECT_EQ(decode_table_flags(one), 0U);
        break;
      case NFT_MSG_NEWOBJ: {
        const auto found = decode_object(one).value();
        EXPECT_EQ(found.count.packets, 3U);
        EXPECT_EQ(found.count.bytes, 4U);
        read.counters[found.name] = found.count;
        break;
      }
      case NFT_MSG_NEWSET: {
        auto found = decode_set(one).value();
        last_set = found.name;
        read.sets[found.name] = std::move(found.set);
        break;
      }
      case NFT_MSG_NEWSETELEM: {
        Set& set = read.sets.at(last_set);
        set.elements =
            join_elements(decode_elements(one).value(), (set.flags & NFT_SET_INTERVAL) != 0);
        break;
      }
      case NFT_MSG_NEWCHAIN: {
        auto found = decode_chain(one).value();
        read.chains[found.name] = std::move(found.chain);
        break;
      }
      case NFT_MSG_NEWRULE: {
        auto found = decode_rule(one).value();
        read.chains[found.chain].rules.push_back(std::move(found.rule));
        break;
      }
      default:
        ADD_FAILURE() << one.nlmsg_type;
    }
  }
  EXPECT_EQ(read.chains, planned.chains);
  ASSERT_EQ(read.sets.size(), planned.sets.size());
  for (const auto& [name, set] : planned.sets) {
    EXPECT_TRUE(same_kind(read.sets.at(name), set)) << name;
    EXPECT_EQ(read.sets.at(name).elements, set.elements) << name;
  }
  EXPECT_EQ(read.counters.size(), planned.counters.size());
}

TEST(Messages, OnlyTheFirstAsksForAnAcknowledgement) {
  Batch batch("evojail");
  batch.add_table();
  batch.delete_table();
  batch.add_table();
  std::vector<std::uint32_t> asking;
  for (const auto& message : messages(batch)) {
    if ((header(message).nlmsg_flags & NLM_F_ACK) != 0) asking.push_back(header(message).nlmsg_seq);
  }
  EXPECT_THAT(asking, ::testing::ElementsAre(Batch::acknowledged()));
}

TEST(Messages, LargeSetsAreSplit) {
  Set set{NFT_SET_INTERVAL, 7, 4, 0, 0, {}, false};
  for (unsigned i = 0; i < 5000; ++i) {
    const Bytes key = {10, 0, static_cast<std::uint8_t>(i / 100),
                       static_cast<std::uint8_t>(i % 100 * 2)};
    set.elements.push_back(
        {key, key, std::nullopt, "a comment of some length, to fill the message"});
  }
  Batch batch("evojail");
  batch.add_elements("s", set);
  std::size_t parts = 0;
  std::vector<FoundElement> found;
  for (const auto& message : messages(batch)) {
    if (header(message).nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES) continue;
    EXPECT_LT(message.size(), 65'536U) << "a nested list's length has 16 bits";
    std::ranges::move(decode_elements(header(message)).value(), std::back_inserter(found));
    ++parts;
  }
  EXPECT_EQ(parts, 25U);
  EXPECT_EQ(join_elements(std::move(found), true), set.elements);
}

TEST(Messages, AnElementIsReadAsItWasWritten) {
  const Set map{NFT_SET_MAP, 13, 2, 0, 0, {{{8, 174}, {8, 174}, Verdict{NFT_GOTO, "c"}, "web1"}},
                false};
  Batch batch("evojail");
  batch.add_elements("ports", map);
  const auto found = decode_elements(header(messages(batch)[1])).value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].element, map.elements[0]);
  EXPECT_FALSE(found[0].past_end || found[0].catch_all);
}

TEST(Messages, TheGenerationIsPartOfTheBeginning) {
  Batch batch("evojail", 0x01020304);
  const auto first = messages(batch).front();
  EXPECT_EQ(header(first).nlmsg_type, NFNL_MSG_BATCH_BEGIN);
  const std::string bytes(first.begin(), first.end());
  EXPECT_NE(bytes.find(std::string("\x01\x02\x03\x04")), std::string::npos);
}

TEST(Messages, CutShortAreNotUnderstood) {
  Batch batch("evojail");
  batch.add_chain("c", {Hook{NF_INET_LOCAL_IN, 0, NF_ACCEPT, "filter"}, {}});
  auto all = messages(batch);
  auto& message = all[1];
  ASSERT_TRUE(decode_chain(header(message)));
  for (const std::uint32_t length : {0U, 16U, 19U, 20U, 22U, 25U}) {
    std::memcpy(message.data(), &length, sizeof length);
    EXPECT_FALSE(decode_owner(header(message))) << length;
    const auto found = decode_chain(header(message));
    EXPECT_TRUE(!found || found->name.empty()) << length;
  }
}

TEST(Messages, AFlowtableIsNamed) {
  struct {
    nlmsghdr header;
    nfgenmsg extra;
    nlattr table_attribute;
    char table[8];
    nlattr name_attribute;
    char name[4];
  } message{{sizeof message, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWFLOWTABLE, 0, 0, 0},
            {NFPROTO_INET, NFNETLINK_V0, 0},
            {12, NFTA_FLOWTABLE_TABLE},
            "evojail",
            {8, NFTA_FLOWTABLE_NAME},
            "fas"};
  EXPECT_EQ(decode_flowtable(message.header, "evojail"), "fas");
  EXPECT_EQ(decode_flowtable(message.header, "other"), std::nullopt);
}

TEST(Messages, ANewGenerationIsAboutNoTable) {
  struct {
    nlmsghdr header;
    nfgenmsg extra;
    nlattr attribute;
    std::uint32_t generation;
  } message{{sizeof message, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN, 0, 0, 0},
            {NFPROTO_UNSPEC, NFNETLINK_V0, 0},
            {8, NFTA_GEN_ID},
            0x07000000};
  EXPECT_EQ(decode_owner(message.header), std::nullopt);
  EXPECT_EQ(decode_generation(message.header), 7U);
}

TEST(Numbers, HaveNeighbours) {
  EXPECT_EQ(successor({0, 255}), (Bytes{1, 0}));
  EXPECT_EQ(successor({255, 255}), std::nullopt);
  EXPECT_EQ(predecessor({1, 0}), (Bytes{0, 255}));
  EXPECT_EQ(predecessor({0, 0}), std::nullopt);
}

}  // namespace
}  // namespace evojail::nft
