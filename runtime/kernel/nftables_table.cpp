#include "kernel/nftables_table.hpp"

#include <ranges>

namespace evojail::nft {

std::optional<Bytes> successor(Bytes value) {
  for (auto& byte : value | std::views::reverse) {
    if (++byte != 0) return value;
  }
  return std::nullopt;
}

std::optional<Bytes> predecessor(Bytes value) {
  for (auto& byte : value | std::views::reverse) {
    if (byte-- != 0) return value;
  }
  return std::nullopt;
}

}  // namespace evojail::nft
