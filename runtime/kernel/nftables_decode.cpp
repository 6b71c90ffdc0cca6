#include "kernel/nftables_decode.hpp"

#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>

namespace evojail::nft {
namespace {

using Decoded = std::optional<Expression>;

Bytes copy(Attributes::Bytes bytes) { return {bytes.begin(), bytes.end()}; }

/// The value in a nested NFTA_DATA_VALUE.
Bytes value(const Attributes& e, std::uint16_t type) {
  const auto data = e.nested(type);
  return data ? copy(data->bytes(NFTA_DATA_VALUE)) : Bytes();
}

/// Whether each of these attributes names the one register in use.
bool in_register(const Attributes& e, std::initializer_list<std::uint16_t> attributes) {
  return std::ranges::all_of(attributes,
                             [&](std::uint16_t type) { return e.u32(type) == NFT_REG_1; });
}

Decoded decode_meta(const Attributes& e) {
  if (e.has(NFTA_META_SREG) || !in_register(e, {NFTA_META_DREG})) return std::nullopt;
  return Meta{e.u32(NFTA_META_KEY)};
}

Decoded decode_payload(const Attributes& e) {
  if (e.has(NFTA_PAYLOAD_SREG) || !in_register(e, {NFTA_PAYLOAD_DREG})) return std::nullopt;
  return Payload{e.u32(NFTA_PAYLOAD_BASE), e.u32(NFTA_PAYLOAD_OFFSET), e.u32(NFTA_PAYLOAD_LEN)};
}

Decoded decode_byteorder(const Attributes& e) {
  if (!in_register(e, {NFTA_BYTEORDER_SREG, NFTA_BYTEORDER_DREG}) ||
      e.u32(NFTA_BYTEORDER_OP) != NFT_BYTEORDER_HTON || e.u32(NFTA_BYTEORDER_LEN) != 4 ||
      e.u32(NFTA_BYTEORDER_SIZE) != 4) {
    return std::nullopt;
  }
  return ToNetworkOrder{};
}

Decoded decode_bitwise(const Attributes& e) {
  Bytes mask = value(e, NFTA_BITWISE_MASK);
  const Bytes flip = value(e, NFTA_BITWISE_XOR);
  if (!in_register(e, {NFTA_BITWISE_SREG, NFTA_BITWISE_DREG}) ||
      e.u32(NFTA_BITWISE_OP) != NFT_BITWISE_BOOL || e.u32(NFTA_BITWISE_LEN) != mask.size() ||
      std::ranges::any_of(flip, [](std::uint8_t byte) { return byte != 0; })) {
    return std::nullopt;
  }
  return Mask{std::move(mask)};
}

Decoded decode_compare(const Attributes& e) {
  if (!in_register(e, {NFTA_CMP_SREG})) return std::nullopt;
  return Compare{e.u32(NFTA_CMP_OP), value(e, NFTA_CMP_DATA)};
}

Decoded decode_lookup(const Attributes& e) {
  const bool verdict = e.has(NFTA_LOOKUP_DREG);
  if (!in_register(e, {NFTA_LOOKUP_SREG}) || e.u32(NFTA_LOOKUP_FLAGS) != 0 ||
      (verdict && e.u32(NFTA_LOOKUP_DREG) != NFT_REG_VERDICT)) {
    return std::nullopt;
  }
  return Lookup{e.string(NFTA_LOOKUP_SET), verdict};
}

/// The one expression that a dynamic set's elements carry: the kernel reports it alone, and only
/// several as a list; libnftnl writes either.
std::optional<Attributes> inner_expression(const Attributes& e) {
  if (e.has(NFTA_DYNSET_EXPR)) return e.nested(NFTA_DYNSET_EXPR);
  const auto list = e.nested(NFTA_DYNSET_EXPRESSIONS);
  if (!list || list->all().size() != 1) return std::nullopt;
  return Attributes::parse(list->all().front().second);
}

Decoded decode_dynset(const Attributes& e) {
  const auto inner = inner_expression(e);
  // A timeout of its own would be another than the set's, which the set is compared by.
  if (!inner || !in_register(e, {NFTA_DYNSET_SREG_KEY}) || e.has(NFTA_DYNSET_SREG_DATA) ||
      e.u32(NFTA_DYNSET_OP) != NFT_DYNSET_OP_UPDATE ||
      (e.u32(NFTA_DYNSET_FLAGS) & NFT_DYNSET_F_INV) != 0 || e.u64(NFTA_DYNSET_TIMEOUT) != 0) {
    return std::nullopt;
  }
  const auto limit = inner->nested(NFTA_EXPR_DATA);
  if (!limit || inner->string(NFTA_EXPR_NAME) != "limit" ||
      limit->u32(NFTA_LIMIT_TYPE) != NFT_LIMIT_PKTS ||
      limit->u32(NFTA_LIMIT_FLAGS) != NFT_LIMIT_F_INV) {
    return std::nullopt;
  }
  return LimitOver{e.string(NFTA_DYNSET_SET_NAME), limit->u64(NFTA_LIMIT_RATE),
                   limit->u64(NFTA_LIMIT_UNIT), limit->u32(NFTA_LIMIT_BURST)};
}

Decoded decode_objref(const Attributes& e) {
  if (e.has(NFTA_OBJREF_SET_SREG) || e.u32(NFTA_OBJREF_IMM_TYPE) != NFT_OBJECT_COUNTER) {
    return std::nullopt;
  }
  return CountIn{e.string(NFTA_OBJREF_IMM_NAME)};
}

Decoded decode_immediate(const Attributes& e) {
  const auto data = e.nested(NFTA_IMMEDIATE_DATA);
  if (e.u32(NFTA_IMMEDIATE_DREG) != NFT_REG_VERDICT || !data || !data->has(NFTA_DATA_VERDICT)) {
    return std::nullopt;
  }
  const auto verdict = data->nested(NFTA_DATA_VERDICT);
  if (!verdict) return std::nullopt;
  return decode_verdict(*verdict);
}

Decoded decode_known(const std::string& name, const Attributes& e) {
  if (name == "meta") return decode_meta(e);
  if (name == "payload") return decode_payload(e);
  if (name == "byteorder") return decode_byteorder(e);
  if (name == "bitwise") return decode_bitwise(e);
  if (name == "cmp") return decode_compare(e);
  if (name == "lookup") return decode_lookup(e);
  if (name == "dynset") return decode_dynset(e);
  if (name == "objref") return decode_objref(e);
  if (name == "immediate") return decode_immediate(e);
  return std::nullopt;
}

}  // namespace

Verdict decode_verdict(const Attributes& verdict) {
  return {static_cast<int>(verdict.u32(NFTA_VERDICT_CODE)), verdict.string(NFTA_VERDICT_CHAIN)};
}

Expression decode(const Attributes& expression) {
  std::string name = expression.string(NFTA_EXPR_NAME);
  if (const auto data = expression.nested(NFTA_EXPR_DATA)) {
    if (auto known = decode_known(name, *data)) return *std::move(known);
  }
  return Other{std::move(name)};
}

}  // namespace evojail::nft
