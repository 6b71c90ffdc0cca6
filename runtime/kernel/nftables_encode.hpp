#pragma once

#include "kernel/nftables_table.hpp"

struct nftnl_expr;

namespace evojail::nft {

/// libnftnl's form of an expression; the rule that it is added to owns it. nft::Other has none.
[[nodiscard]] nftnl_expr* encode(const Expression& expression);

}  // namespace evojail::nft
