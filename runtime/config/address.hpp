#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace evojail {

/// An IPv4 or IPv6 network: an address and how many leading bits count. Bits behind those are zero.
struct Prefix {
  enum class Family : std::uint8_t { v4, v6 };
  Family family = Family::v4;
  std::array<std::uint8_t, 16> bytes{};  ///< network byte order; IPv4 uses the first four
  std::uint8_t length = 0;               ///< 0 to 32, or 0 to 128

  friend auto operator<=>(const Prefix&, const Prefix&) = default;
};

/// "192.0.2.7", "192.0.2.0/24", "2001:db8::/32". Without a length: one host. Host bits behind the
/// length are an error, as is an IPv4-mapped IPv6 address (write the IPv4 one).
[[nodiscard]] Result<Prefix> parse_prefix(std::string_view text);

/// The inverse; the length is left out for one host.
[[nodiscard]] std::string to_string(const Prefix& prefix);

/// Whether `host` (of full length) lies within `network`. An IPv4-mapped IPv6 host counts as IPv4.
[[nodiscard]] bool contains(const Prefix& network, const Prefix& host);

}  // namespace evojail
