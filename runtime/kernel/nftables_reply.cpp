#include "kernel/nftables_reply.hpp"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <algorithm>

#include "kernel/nftables_attributes.hpp"
#include "kernel/nftables_decode.hpp"

namespace evojail::nft {
namespace {

/// Only where Attributes::of() has found the message long enough.
std::uint8_t family_of(const nlmsghdr& message) {
  return reinterpret_cast<const std::uint8_t*>(&message)[NLMSG_HDRLEN];
}

Owner owner_of(const nlmsghdr& message, const Attributes& attributes) {
  // NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, NFTA_SET_TABLE, …: all 1.
  return {family_of(message), attributes.string(NFTA_TABLE_NAME)};
}

Bytes value(const Attributes& element, std::uint16_t type) {
  const auto data = element.nested(type);
  if (!data) return {};
  const auto bytes = data->bytes(NFTA_DATA_VALUE);
  return {bytes.begin(), bytes.end()};
}

std::optional<FoundElement> decode_element(Attributes::Bytes bytes) {
  const auto attributes = Attributes::parse(bytes);
  if (!attributes) return std::nullopt;
  const std::uint32_t flags = attributes->u32(NFTA_SET_ELEM_FLAGS);
  FoundElement found;
  found.past_end = (flags & NFT_SET_ELEM_INTERVAL_END) != 0;
  found.catch_all = (flags & NFT_SET_ELEM_CATCHALL) != 0;
  found.element.low = value(*attributes, NFTA_SET_ELEM_KEY);
  found.element.high = value(*attributes, NFTA_SET_ELEM_KEY_END);
  if (found.element.high.empty()) found.element.high = found.element.low;
  for (const std::uint16_t type : {NFTA_SET_ELEM_EXPR, NFTA_SET_ELEM_EXPRESSIONS,
                                   NFTA_SET_ELEM_OBJREF, NFTA_SET_ELEM_TIMEOUT}) {
    found.element.extra |= attributes->has(type);
  }
  const auto data = attributes->nested(NFTA_SET_ELEM_DATA);
  if (!data) return std::nullopt;
  if (data->has(NFTA_DATA_VERDICT)) {
    const auto verdict = data->nested(NFTA_DATA_VERDICT);
    if (!verdict) return std::nullopt;
    found.element.verdict = decode_verdict(*verdict);
  }
  return found;
}

}  // namespace

std::optional<Owner> decode_owner(const nlmsghdr& message) {
  const auto attributes = Attributes::of(message);
  if (!attributes || (message.nlmsg_type & 0xff) == NFT_MSG_NEWGEN ||
      !attributes->has(NFTA_TABLE_NAME)) {
    return std::nullopt;
  }
  return owner_of(message, *attributes);
}

std::optional<std::uint32_t> decode_table_flags(const nlmsghdr& message) {
  const auto attributes = Attributes::of(message);
  if (!attributes) return std::nullopt;
  return attributes->u32(NFTA_TABLE_FLAGS);
}

std::optional<FoundChain> decode_chain(const nlmsghdr& message) {
  const auto attributes = Attributes::of(message);
  if (!attributes || !attributes->has(NFTA_CHAIN_NAME)) return std::nullopt;
  const auto hook = attributes->nested(NFTA_CHAIN_HOOK);
  if (!hook) return std::nullopt;
  FoundChain found{owner_of(message, *attributes), attributes->string(NFTA_CHAIN_NAME), {}};
  if (hook->has(NFTA_HOOK_HOOKNUM)) {
    found.chain.hook =
        Hook{hook->u32(NFTA_HOOK_HOOKNUM), static_cast<std::int32_t>(hook->u32(NFTA_HOOK_PRIORITY)),
             attributes->u32(NFTA_CHAIN_POLICY), attributes->string(NFTA_CHAIN_TYPE)};
  }
  return found;
}

std::optional<FoundRule> decode_rule(const nlmsghdr& message) {
  const auto attributes = Attributes::of(message);
  if (!attributes || !attributes->has(NFTA_RULE_CHAIN)) return std::nullopt;
  const auto expressions = attributes->nested(NFTA_RULE_EXPRESSIONS);
  if (!expressions) return std::nullopt;
  FoundRule found{owner_of(message, *attributes), attributes->string(NFTA_RULE_CHAIN), {}};
  for (const auto& [type, bytes] : expressions->all()) {
    const auto expression = Attributes::parse(bytes);
    if (!expression) return std::nullopt;
    found.rule.push_back(decode(*expression));
  }
  return found;
}

std::optional<FoundSet> decode_set(const nlmsghdr& message) {
  const auto attributes = Attributes::of(message);
  if (!attributes || !attributes->has(NFTA_SET_NAME)) return std::nullopt;
  const auto description = attributes->nested(NFTA_SET_DESC);
  if (!description) return std::nullopt;
  FoundSet found{owner_of(message, *attributes), attributes->string(NFTA_SET_NAME), {}};
  found.set.flags = attributes->u32(NFTA_SET_FLAGS);
  found.set.key_type = attributes->u32(NFTA_SET_KEY_TYPE);
  found.set.key_length = attributes->u32(NFTA_SET_KEY_LEN);
  found.set.size = description->u32(NFTA_SET_DESC_SIZE);
  found.set.timeout_ms = attributes->u64(NFTA_SET_TIMEOUT);
  return found;
}

std::optional<std::vector<FoundElement>> decode_elements(const nlmsghdr& message) {
  const auto attributes = Attributes::of(message);
  if (!attributes) return std::nullopt;
  const auto list = attributes->nested(NFTA_SET_ELEM_LIST_ELEMENTS);
  if (!list) return std::nullopt;
  std::vector<FoundElement> found;
  for (const auto& [type, bytes] : list->all()) {
    auto element = decode_element(bytes);
    if (!element) return std::nullopt;
    found.push_back(*std::move(element));
  }
  return found;
}

std::optional<FoundObject> decode_object(const nlmsghdr& message) {
  const auto attributes = Attributes::of(message);
  if (!attributes || !attributes->has(NFTA_OBJ_NAME)) return std::nullopt;
  FoundObject found{owner_of(message, *attributes),
                    attributes->string(NFTA_OBJ_NAME),
                    attributes->u32(NFTA_OBJ_TYPE),
                    {}};
  if (found.type == NFT_OBJECT_COUNTER) {
    const auto data = attributes->nested(NFTA_OBJ_DATA);
    if (!data) return std::nullopt;
    found.count = {data->u64(NFTA_COUNTER_PACKETS), data->u64(NFTA_COUNTER_BYTES)};
  }
  return found;
}

std::optional<std::string> decode_flowtable(const nlmsghdr& message, std::string_view table) {
  const auto attributes = Attributes::of(message);
  if (!attributes || owner_of(message, *attributes).table != table) return std::nullopt;
  return attributes->string(NFTA_FLOWTABLE_NAME);
}

std::optional<std::uint32_t> decode_generation(const nlmsghdr& message) {
  const auto attributes = Attributes::of(message);
  if (!attributes || (message.nlmsg_type & 0xff) != NFT_MSG_NEWGEN) return std::nullopt;
  return attributes->u32(NFTA_GEN_ID);
}

std::vector<Element> join_elements(std::vector<FoundElement> found, bool interval) {
  // At one key, the end of an interval comes before the beginning of the next.
  std::ranges::sort(found, [](const FoundElement& a, const FoundElement& b) {
    if (a.element.low != b.element.low) return a.element.low < b.element.low;
    return a.past_end && !b.past_end;
  });
  std::vector<Element> joined;
  bool open = false;
  const auto close = [&](const Bytes& past) {
    if (open) joined.back().high = predecessor(past).value_or(past);
    open = false;
  };
  for (auto& one : found) {
    if (interval && !one.catch_all) close(one.element.low);
    if (one.past_end) continue;
    const bool single = one.element.low != one.element.high;  // says its end itself
    joined.push_back(std::move(one.element));
    open = interval && !one.catch_all && !single;
  }
  if (open) joined.back().high.assign(joined.back().low.size(), 0xff);
  return joined;
}

}  // namespace evojail::nft
