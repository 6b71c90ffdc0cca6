#include "kernel/nftables_table.hpp"

#include <ranges>

namespace evojail::nft {

bool same_kind(const Set& a, const Set& b) {
  return a.flags == b.flags && a.key_type == b.key_type && a.key_length == b.key_length &&
         a.size == b.size && a.timeout_ms == b.timeout_ms;
}

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
