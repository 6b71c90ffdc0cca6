#include "config/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

#include "base/parse.hpp"
#include "base/printable.hpp"

namespace evojail {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

unsigned full_length(Prefix::Family family) { return family == Prefix::Family::v4 ? 32 : 128; }

bool is_mapped(const Prefix& prefix) {
  return prefix.family == Prefix::Family::v6 &&
         std::ranges::equal(std::span(prefix.bytes).first<12>(), kMapped);
}

/// The byte that bit `index` lies in, with the bits from it on to the byte's end.
std::uint8_t bits_from(unsigned index) { return static_cast<std::uint8_t>(0xffU >> (index % 8)); }

void clear_host_bits(Prefix& prefix) {
  for (unsigned i = 0; i < prefix.bytes.size(); ++i) {
    if (i * 8 >= prefix.length) {
      prefix.bytes[i] = 0;
    } else if (i == prefix.length / 8U) {
      prefix.bytes[i] &= static_cast<std::uint8_t>(~bits_from(prefix.length));
    }
  }
}

std::optional<Prefix> parse_host(std::string_view text) {
  const std::string address(text);
  if (address.find('\0') != std::string::npos) return std::nullopt;
  Prefix prefix;
  if (::inet_pton(AF_INET, address.c_str(), prefix.bytes.data()) == 1) {
    prefix.length = 32;
    return prefix;
  }
  if (::inet_pton(AF_INET6, address.c_str(), prefix.bytes.data()) == 1) {
    prefix.family = Prefix::Family::v6;
    prefix.length = 128;
    return prefix;
  }
  return std::nullopt;
}

}  // namespace

Result<Prefix> parse_prefix(std::string_view text) {
  constexpr std::string_view accepted =
      "write an IPv4 or IPv6 address or network: 192.0.2.7, 192.0.2.0/24, 2001:db8::/32";
  const auto slash = text.find('/');
  const std::optional<Prefix> host = parse_host(text.substr(0, slash));
  if (!host) {
    return std::unexpected(
        Error(fmt::format("'{}' is not an address", printable(text))).hint(accepted));
  }
  Prefix prefix = *host;
  if (slash != std::string_view::npos) {
    const auto length = parse_number(text.substr(slash + 1), 0U, full_length(host->family));
    if (!length) {
      return std::unexpected(Error(fmt::format("'{}' has a length that is not 0 to {}",
                                               printable(text), full_length(host->family)))
                                 .hint(accepted));
    }
    prefix.length = static_cast<std::uint8_t>(*length);
    clear_host_bits(prefix);
    if (prefix.bytes != host->bytes) {
      return std::unexpected(Error(fmt::format("'{}' has bits set behind its length", text))
                                 .hint(fmt::format("the network is {}", to_string(prefix))));
    }
  }
  if (is_mapped(prefix) && prefix.length >= 96) {
    return std::unexpected(Error(fmt::format("'{}' is an IPv4 address in IPv6 form", text))
                               .hint("write the IPv4 one"));
  }
  return prefix;
}

std::string to_string(const Prefix& prefix) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = prefix.family == Prefix::Family::v4 ? AF_INET : AF_INET6;
  ::inet_ntop(family, prefix.bytes.data(), text.data(), text.size());
  if (prefix.length == full_length(prefix.family)) return text.data();
  return fmt::format("{}/{}", text.data(), prefix.length);
}

bool contains(const Prefix& network, const Prefix& host) {
  Prefix within = host;
  if (is_mapped(host) && host.length == 128) {
    within = Prefix{.family = Prefix::Family::v4, .bytes = {}, .length = 32};
    std::ranges::copy(std::span(host.bytes).last<4>(), within.bytes.begin());
  }
  if (within.family != network.family || within.length < network.length) return false;
  within.length = network.length;
  clear_host_bits(within);
  return within.bytes == network.bytes;
}

}  // namespace evojail
