#pragma once

#include "kernel/firewall.hpp"
#include "kernel/nftables_table.hpp"

namespace evojail {

/// What is missing from `found`, and what is in it and is not wanted. Values of counters, comments
/// and elements of dynamic sets do not count; the order of rules does.
[[nodiscard]] FirewallDrift compare_tables(const nft::Table& wanted, const nft::Table& found);

}  // namespace evojail
