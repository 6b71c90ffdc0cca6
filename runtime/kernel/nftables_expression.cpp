#include "kernel/nftables_expression.hpp"

#include <libnftnl/expr.h>
#include <linux/netfilter/nf_tables.h>

#include <cstring>
#include <new>
#include <string_view>
#include <type_traits>

namespace evojail::nft {
namespace {

constexpr std::uint32_t kRegister = NFT_REG_1;

nftnl_expr* made(const char* name) {
  nftnl_expr* expression = nftnl_expr_alloc(name);
  if (expression == nullptr) throw std::bad_alloc();
  return expression;
}

std::uint32_t size(const Bytes& bytes) { return static_cast<std::uint32_t>(bytes.size()); }

struct Encoder {
  nftnl_expr* operator()(const Meta& meta) const {
    nftnl_expr* e = made("meta");
    nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, meta.key);
    nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, kRegister);
    return e;
  }

  nftnl_expr* operator()(const Payload& payload) const {
    nftnl_expr* e = made("payload");
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, payload.base);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, payload.offset);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, payload.length);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, kRegister);
    return e;
  }

  nftnl_expr* operator()(const ToNetworkOrder&) const {
    nftnl_expr* e = made("byteorder");
    nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_SREG, kRegister);
    nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_DREG, kRegister);
    nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
    nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_LEN, 4);
    nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_SIZE, 4);
    return e;
  }

  nftnl_expr* operator()(const Mask& mask) const {
    const Bytes none(mask.mask.size(), 0);
    nftnl_expr* e = made("bitwise");
    nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, kRegister);
    nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, kRegister);
    nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
    nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, size(mask.mask));
    nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, mask.mask.data(), size(mask.mask));
    nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, none.data(), size(none));
    return e;
  }

  nftnl_expr* operator()(const Compare& compare) const {
    nftnl_expr* e = made("cmp");
    nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, kRegister);
    nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, compare.op);
    nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, compare.value.data(), size(compare.value));
    return e;
  }

  nftnl_expr* operator()(const Lookup& lookup) const {
    nftnl_expr* e = made("lookup");
    nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, kRegister);
    nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, lookup.set.c_str());
    if (lookup.verdict) nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
    return e;
  }

  nftnl_expr* operator()(const LimitOver& limit) const {
    nftnl_expr* inner = made("limit");
    nftnl_expr_set_u64(inner, NFTNL_EXPR_LIMIT_RATE, limit.rate);
    nftnl_expr_set_u64(inner, NFTNL_EXPR_LIMIT_UNIT, limit.unit);
    nftnl_expr_set_u32(inner, NFTNL_EXPR_LIMIT_BURST, limit.burst);
    nftnl_expr_set_u32(inner, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
    nftnl_expr_set_u32(inner, NFTNL_EXPR_LIMIT_FLAGS, NFT_LIMIT_F_INV);
    nftnl_expr* e = made("dynset");
    nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, kRegister);
    nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
    nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, limit.set.c_str());
    nftnl_expr_add_expr(e, NFTNL_EXPR_DYNSET_EXPRESSIONS, inner);
    return e;
  }

  nftnl_expr* operator()(const CountIn& count) const {
    nftnl_expr* e = made("objref");
    nftnl_expr_set_u32(e, NFTNL_EXPR_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
    nftnl_expr_set_str(e, NFTNL_EXPR_OBJREF_IMM_NAME, count.counter.c_str());
    return e;
  }

  nftnl_expr* operator()(const Verdict& verdict) const {
    nftnl_expr* e = made("immediate");
    nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, static_cast<std::uint32_t>(verdict.code));
    if (!verdict.chain.empty()) nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, verdict.chain.c_str());
    return e;
  }

  // Nothing plans one; an empty "counter" would be the most harmless thing to send.
  nftnl_expr* operator()(const Other&) const { return made("counter"); }
};

/// Reads attributes; one that is not there reads as zero or empty, as the kernel takes it.
class Reader {
 public:
  explicit Reader(const nftnl_expr* expression) : expression_(expression) {}

  [[nodiscard]] std::uint32_t u32(std::uint16_t attribute) const {
    return has(attribute) ? nftnl_expr_get_u32(expression_, attribute) : 0;
  }
  [[nodiscard]] std::uint64_t u64(std::uint16_t attribute) const {
    return has(attribute) ? nftnl_expr_get_u64(expression_, attribute) : 0;
  }
  [[nodiscard]] std::string string(std::uint16_t attribute) const {
    const char* text = has(attribute) ? nftnl_expr_get_str(expression_, attribute) : nullptr;
    return text == nullptr ? std::string() : std::string(text);
  }
  [[nodiscard]] Bytes bytes(std::uint16_t attribute) const {
    std::uint32_t length = 0;
    const void* data = has(attribute) ? nftnl_expr_get(expression_, attribute, &length) : nullptr;
    if (data == nullptr) return {};
    const auto* first = static_cast<const std::uint8_t*>(data);
    return {first, first + length};
  }
  [[nodiscard]] bool has(std::uint16_t attribute) const {
    return nftnl_expr_is_set(expression_, attribute);
  }
  [[nodiscard]] std::string name() const {
    const char* text = nftnl_expr_get_str(expression_, NFTNL_EXPR_NAME);
    return text == nullptr ? std::string() : std::string(text);
  }
  /// Whether each of these attributes reads from or writes to the one register in use here.
  [[nodiscard]] bool in_register(std::initializer_list<std::uint16_t> attributes) const {
    for (const auto attribute : attributes) {
      if (u32(attribute) != kRegister) return false;
    }
    return true;
  }

 private:
  const nftnl_expr* expression_;
};

bool all_zero(const Bytes& bytes) {
  for (const auto byte : bytes) {
    if (byte != 0) return false;
  }
  return true;
}

std::optional<Expression> decode_meta(const Reader& e) {
  if (e.has(NFTNL_EXPR_META_SREG) || !e.in_register({NFTNL_EXPR_META_DREG})) return std::nullopt;
  return Meta{e.u32(NFTNL_EXPR_META_KEY)};
}

std::optional<Expression> decode_payload(const Reader& e) {
  if (e.has(NFTNL_EXPR_PAYLOAD_SREG) || !e.in_register({NFTNL_EXPR_PAYLOAD_DREG})) {
    return std::nullopt;
  }
  return Payload{e.u32(NFTNL_EXPR_PAYLOAD_BASE), e.u32(NFTNL_EXPR_PAYLOAD_OFFSET),
                 e.u32(NFTNL_EXPR_PAYLOAD_LEN)};
}

std::optional<Expression> decode_byteorder(const Reader& e) {
  if (!e.in_register({NFTNL_EXPR_BYTEORDER_SREG, NFTNL_EXPR_BYTEORDER_DREG}) ||
      e.u32(NFTNL_EXPR_BYTEORDER_OP) != NFT_BYTEORDER_HTON ||
      e.u32(NFTNL_EXPR_BYTEORDER_LEN) != 4 || e.u32(NFTNL_EXPR_BYTEORDER_SIZE) != 4) {
    return std::nullopt;
  }
  return ToNetworkOrder{};
}

std::optional<Expression> decode_bitwise(const Reader& e) {
  Bytes mask = e.bytes(NFTNL_EXPR_BITWISE_MASK);
  if (!e.in_register({NFTNL_EXPR_BITWISE_SREG, NFTNL_EXPR_BITWISE_DREG}) ||
      e.u32(NFTNL_EXPR_BITWISE_OP) != NFT_BITWISE_BOOL ||
      e.u32(NFTNL_EXPR_BITWISE_LEN) != mask.size() || !all_zero(e.bytes(NFTNL_EXPR_BITWISE_XOR))) {
    return std::nullopt;
  }
  return Mask{std::move(mask)};
}

std::optional<Expression> decode_compare(const Reader& e) {
  if (!e.in_register({NFTNL_EXPR_CMP_SREG})) return std::nullopt;
  return Compare{e.u32(NFTNL_EXPR_CMP_OP), e.bytes(NFTNL_EXPR_CMP_DATA)};
}

std::optional<Expression> decode_lookup(const Reader& e) {
  const bool verdict = e.has(NFTNL_EXPR_LOOKUP_DREG);
  if (!e.in_register({NFTNL_EXPR_LOOKUP_SREG}) || e.u32(NFTNL_EXPR_LOOKUP_FLAGS) != 0 ||
      (verdict && e.u32(NFTNL_EXPR_LOOKUP_DREG) != NFT_REG_VERDICT)) {
    return std::nullopt;
  }
  return Lookup{e.string(NFTNL_EXPR_LOOKUP_SET), verdict};
}

int collect(nftnl_expr* expression, void* data) {
  static_cast<std::vector<nftnl_expr*>*>(data)->push_back(expression);
  return 0;
}

std::optional<Expression> decode_dynset(const Reader& e, const nftnl_expr* expression) {
  std::vector<nftnl_expr*> inner;
  nftnl_expr_expr_foreach(expression, collect, &inner);
  // The kernel reports the set's own timeout, which the set is compared by.
  if (inner.size() != 1 || !e.in_register({NFTNL_EXPR_DYNSET_SREG_KEY}) ||
      e.has(NFTNL_EXPR_DYNSET_SREG_DATA) || e.u32(NFTNL_EXPR_DYNSET_OP) != NFT_DYNSET_OP_UPDATE ||
      (e.u32(NFTNL_EXPR_DYNSET_FLAGS) & NFT_DYNSET_F_INV) != 0 ||
      e.u64(NFTNL_EXPR_DYNSET_TIMEOUT) != 0) {
    return std::nullopt;
  }
  const Reader limit(inner.front());
  if (limit.name() != "limit" || limit.u32(NFTNL_EXPR_LIMIT_TYPE) != NFT_LIMIT_PKTS ||
      limit.u32(NFTNL_EXPR_LIMIT_FLAGS) != NFT_LIMIT_F_INV) {
    return std::nullopt;
  }
  return LimitOver{e.string(NFTNL_EXPR_DYNSET_SET_NAME), limit.u64(NFTNL_EXPR_LIMIT_RATE),
                   limit.u64(NFTNL_EXPR_LIMIT_UNIT), limit.u32(NFTNL_EXPR_LIMIT_BURST)};
}

std::optional<Expression> decode_objref(const Reader& e) {
  if (e.has(NFTNL_EXPR_OBJREF_SET_SREG) ||
      e.u32(NFTNL_EXPR_OBJREF_IMM_TYPE) != NFT_OBJECT_COUNTER) {
    return std::nullopt;
  }
  return CountIn{e.string(NFTNL_EXPR_OBJREF_IMM_NAME)};
}

std::optional<Expression> decode_immediate(const Reader& e) {
  if (e.u32(NFTNL_EXPR_IMM_DREG) != NFT_REG_VERDICT || !e.has(NFTNL_EXPR_IMM_VERDICT)) {
    return std::nullopt;
  }
  return Verdict{static_cast<int>(e.u32(NFTNL_EXPR_IMM_VERDICT)), e.string(NFTNL_EXPR_IMM_CHAIN)};
}

std::optional<Expression> decode_known(const Reader& e, const nftnl_expr* expression) {
  const std::string name = e.name();
  if (name == "meta") return decode_meta(e);
  if (name == "payload") return decode_payload(e);
  if (name == "byteorder") return decode_byteorder(e);
  if (name == "bitwise") return decode_bitwise(e);
  if (name == "cmp") return decode_compare(e);
  if (name == "lookup") return decode_lookup(e);
  if (name == "dynset") return decode_dynset(e, expression);
  if (name == "objref") return decode_objref(e);
  if (name == "immediate") return decode_immediate(e);
  return std::nullopt;
}

}  // namespace

nftnl_expr* encode(const Expression& expression) { return std::visit(Encoder{}, expression); }

Expression decode(const nftnl_expr* expression) {
  const Reader reader(expression);
  if (auto known = decode_known(reader, expression)) return *std::move(known);
  return Other{reader.name()};
}

}  // namespace evojail::nft
