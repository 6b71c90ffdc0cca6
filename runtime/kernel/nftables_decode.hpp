#pragma once

#include "kernel/nftables_attributes.hpp"
#include "kernel/nftables_table.hpp"

namespace evojail::nft {

/// An expression as the kernel reports it (NFTA_EXPR_NAME, NFTA_EXPR_DATA). Whatever evojail would
/// not have written is Other.
[[nodiscard]] Expression decode(const Attributes& expression);

/// A verdict (NFTA_VERDICT_*).
[[nodiscard]] Verdict decode_verdict(const Attributes& verdict);

}  // namespace evojail::nft
