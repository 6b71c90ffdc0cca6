#include "kernel/nftables_encode.hpp"

#include <libnftnl/expr.h>
#include <linux/netfilter/nf_tables.h>

#include <new>
#include <variant>

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

}  // namespace

nftnl_expr* encode(const Expression& expression) { return std::visit(Encoder{}, expression); }

}  // namespace evojail::nft
