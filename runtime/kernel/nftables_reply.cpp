#include "kernel/nftables_reply.hpp"

#include <arpa/inet.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/gen.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>

#include "kernel/nftables_expression.hpp"

namespace evojail::nft {
namespace {

// NLA_HDRLEN, whose macro mixes signs.
constexpr std::size_t kAttributeHeader = sizeof(nlattr);

template <auto free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};
template <class T, auto free>
using Owned = std::unique_ptr<T, Freer<free>>;

std::string text(const char* value) { return value == nullptr ? std::string() : value; }

std::span<const char> payload(const nlmsghdr& message) {
  if (message.nlmsg_len < NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(nfgenmsg))) return {};
  const auto* bytes = reinterpret_cast<const char*>(&message);
  return std::span(bytes, message.nlmsg_len).subspan(NLMSG_HDRLEN);
}

std::uint8_t family_of(const nlmsghdr& message) {
  const auto bytes = payload(message);
  return bytes.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(bytes[0]);
}

/// The string in the first attribute of this type.
std::optional<std::string> string_attribute(const nlmsghdr& message, std::uint16_t type) {
  auto bytes = payload(message);
  if (bytes.empty()) return std::nullopt;
  bytes = bytes.subspan(NLMSG_ALIGN(sizeof(nfgenmsg)));
  while (bytes.size() >= kAttributeHeader) {
    nlattr attribute{};
    std::memcpy(&attribute, bytes.data(), sizeof attribute);
    if (attribute.nla_len < kAttributeHeader || attribute.nla_len > bytes.size())
      return std::nullopt;
    if ((attribute.nla_type & NLA_TYPE_MASK) == type) {
      const char* first = bytes.data() + kAttributeHeader;
      return std::string(first, ::strnlen(first, attribute.nla_len - kAttributeHeader));
    }
    bytes = bytes.subspan(std::min<std::size_t>(NLA_ALIGN(attribute.nla_len), bytes.size()));
  }
  return std::nullopt;
}

Bytes element_bytes(const nftnl_set_elem* element, std::uint16_t attribute) {
  if (!nftnl_set_elem_is_set(element, attribute)) return {};
  std::uint32_t length = 0;
  const void* data = nftnl_set_elem_get(const_cast<nftnl_set_elem*>(element), attribute, &length);
  if (data == nullptr) return {};
  const auto* first = static_cast<const std::uint8_t*>(data);
  return {first, first + length};
}

int read_element(nftnl_set_elem* element, void* data) {
  FoundElement found;
  const std::uint32_t flags = nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_FLAGS)
                                  ? nftnl_set_elem_get_u32(element, NFTNL_SET_ELEM_FLAGS)
                                  : 0;
  found.past_end = (flags & NFT_SET_ELEM_INTERVAL_END) != 0;
  found.catch_all = (flags & NFT_SET_ELEM_CATCHALL) != 0;
  found.element.low = element_bytes(element, NFTNL_SET_ELEM_KEY);
  found.element.high = element_bytes(element, NFTNL_SET_ELEM_KEY_END);
  if (found.element.high.empty()) found.element.high = found.element.low;
  if (nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_VERDICT)) {
    found.element.verdict =
        Verdict{static_cast<int>(nftnl_set_elem_get_u32(element, NFTNL_SET_ELEM_VERDICT)),
                nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_CHAIN)
                    ? text(nftnl_set_elem_get_str(element, NFTNL_SET_ELEM_CHAIN))
                    : std::string()};
  }
  static_cast<std::vector<FoundElement>*>(data)->push_back(std::move(found));
  return 0;
}

int read_expression(nftnl_expr* expression, void* data) {
  static_cast<Rule*>(data)->push_back(decode(expression));
  return 0;
}

std::uint32_t set_u32(const nftnl_set* set, std::uint16_t attribute) {
  return nftnl_set_is_set(set, attribute) ? nftnl_set_get_u32(set, attribute) : 0;
}

}  // namespace

std::optional<Owner> decode_owner(const nlmsghdr& message) {
  // NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, NFTA_SET_TABLE, …: all 1.
  auto table = string_attribute(message, NFTA_TABLE_NAME);
  if ((message.nlmsg_type & 0xff) == NFT_MSG_NEWGEN || !table) return std::nullopt;
  return Owner{family_of(message), *std::move(table)};
}

std::optional<std::uint32_t> decode_table_flags(const nlmsghdr& message) {
  const Owned<nftnl_table, nftnl_table_free> table(nftnl_table_alloc());
  if (!table || nftnl_table_nlmsg_parse(&message, table.get()) != 0) return std::nullopt;
  return nftnl_table_get_u32(table.get(), NFTNL_TABLE_FLAGS);
}

std::optional<FoundChain> decode_chain(const nlmsghdr& message) {
  const Owned<nftnl_chain, nftnl_chain_free> chain(nftnl_chain_alloc());
  if (!chain || nftnl_chain_nlmsg_parse(&message, chain.get()) != 0) return std::nullopt;
  FoundChain found{{family_of(message), text(nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_TABLE))},
                   text(nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_NAME)),
                   {}};
  if (nftnl_chain_is_set(chain.get(), NFTNL_CHAIN_HOOKNUM)) {
    found.chain.hook = Hook{nftnl_chain_get_u32(chain.get(), NFTNL_CHAIN_HOOKNUM),
                            nftnl_chain_get_s32(chain.get(), NFTNL_CHAIN_PRIO),
                            nftnl_chain_get_u32(chain.get(), NFTNL_CHAIN_POLICY),
                            text(nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_TYPE))};
  }
  return found;
}

std::optional<FoundRule> decode_rule(const nlmsghdr& message) {
  const Owned<nftnl_rule, nftnl_rule_free> rule(nftnl_rule_alloc());
  if (!rule || nftnl_rule_nlmsg_parse(&message, rule.get()) != 0) return std::nullopt;
  FoundRule found{{family_of(message), text(nftnl_rule_get_str(rule.get(), NFTNL_RULE_TABLE))},
                  text(nftnl_rule_get_str(rule.get(), NFTNL_RULE_CHAIN)),
                  {}};
  nftnl_expr_foreach(rule.get(), read_expression, &found.rule);
  return found;
}

std::optional<FoundSet> decode_set(const nlmsghdr& message) {
  const Owned<nftnl_set, nftnl_set_free> set(nftnl_set_alloc());
  if (!set || nftnl_set_nlmsg_parse(&message, set.get()) != 0) return std::nullopt;
  FoundSet found{{family_of(message), text(nftnl_set_get_str(set.get(), NFTNL_SET_TABLE))},
                 text(nftnl_set_get_str(set.get(), NFTNL_SET_NAME)),
                 {}};
  found.set.flags = set_u32(set.get(), NFTNL_SET_FLAGS);
  found.set.key_type = set_u32(set.get(), NFTNL_SET_KEY_TYPE);
  found.set.key_length = set_u32(set.get(), NFTNL_SET_KEY_LEN);
  found.set.size = set_u32(set.get(), NFTNL_SET_DESC_SIZE);
  if (nftnl_set_is_set(set.get(), NFTNL_SET_TIMEOUT)) {
    found.set.timeout_ms = nftnl_set_get_u64(set.get(), NFTNL_SET_TIMEOUT);
  }
  return found;
}

std::optional<std::vector<FoundElement>> decode_elements(const nlmsghdr& message) {
  const Owned<nftnl_set, nftnl_set_free> set(nftnl_set_alloc());
  if (!set || nftnl_set_elems_nlmsg_parse(&message, set.get()) != 0) return std::nullopt;
  std::vector<FoundElement> found;
  nftnl_set_elem_foreach(set.get(), read_element, &found);
  return found;
}

std::optional<FoundObject> decode_object(const nlmsghdr& message) {
  const Owned<nftnl_obj, nftnl_obj_free> object(nftnl_obj_alloc());
  if (!object || nftnl_obj_nlmsg_parse(&message, object.get()) != 0) return std::nullopt;
  FoundObject found{{family_of(message), text(nftnl_obj_get_str(object.get(), NFTNL_OBJ_TABLE))},
                    text(nftnl_obj_get_str(object.get(), NFTNL_OBJ_NAME)),
                    nftnl_obj_get_u32(object.get(), NFTNL_OBJ_TYPE),
                    {}};
  if (found.type == NFT_OBJECT_COUNTER && nftnl_obj_is_set(object.get(), NFTNL_OBJ_CTR_PKTS) &&
      nftnl_obj_is_set(object.get(), NFTNL_OBJ_CTR_BYTES)) {
    found.count = {nftnl_obj_get_u64(object.get(), NFTNL_OBJ_CTR_PKTS),
                   nftnl_obj_get_u64(object.get(), NFTNL_OBJ_CTR_BYTES)};
  }
  return found;
}

std::optional<std::string> decode_flowtable(const nlmsghdr& message, std::string_view table) {
  const auto owner = decode_owner(message);
  if (!owner || owner->table != table) return std::nullopt;
  return string_attribute(message, NFTA_FLOWTABLE_NAME);
}

std::optional<std::uint32_t> decode_generation(const nlmsghdr& message) {
  const Owned<nftnl_gen, nftnl_gen_free> generation(nftnl_gen_alloc());
  if (!generation || (message.nlmsg_type & 0xff) != NFT_MSG_NEWGEN ||
      nftnl_gen_nlmsg_parse(&message, generation.get()) != 0 ||
      !nftnl_gen_is_set(generation.get(), NFTNL_GEN_ID)) {
    return std::nullopt;
  }
  return nftnl_gen_get_u32(generation.get(), NFTNL_GEN_ID);
}

std::vector<Element> join_elements(std::vector<FoundElement> found, bool interval) {
  // At one key, the end of an interval comes before the beginning of the next.
  std::ranges::stable_sort(found, [](const FoundElement& a, const FoundElement& b) {
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
