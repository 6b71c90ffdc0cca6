#include "kernel/nftables_attributes.hpp"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cstring>

namespace evojail::nft {
namespace {

// NLA_HDRLEN, whose macro mixes signs.
constexpr std::size_t kHeader = sizeof(nlattr);

template <class T>
T number(std::span<const std::uint8_t> bytes) {
  T value = 0;
  if (bytes.size() < sizeof value) return 0;
  for (const auto byte : bytes.first(sizeof value)) value = static_cast<T>(value << 8 | byte);
  return value;
}

}  // namespace

std::optional<Attributes> Attributes::parse(Bytes bytes) {
  Attributes found;
  while (!bytes.empty()) {
    nlattr header{};
    if (bytes.size() < kHeader) return std::nullopt;
    std::memcpy(&header, bytes.data(), sizeof header);
    if (header.nla_len < kHeader || header.nla_len > bytes.size()) return std::nullopt;
    found.all_.emplace_back(static_cast<std::uint16_t>(header.nla_type & NLA_TYPE_MASK),
                            bytes.subspan(kHeader, header.nla_len - kHeader));
    // The last one may lack its padding.
    bytes =
        bytes.subspan(std::min(static_cast<std::size_t>(NLA_ALIGN(header.nla_len)), bytes.size()));
  }
  return found;
}

std::optional<Attributes> Attributes::of(const nlmsghdr& message) {
  constexpr std::size_t front = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(nfgenmsg));
  if (message.nlmsg_len < front) return std::nullopt;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&message);
  return parse(Bytes(bytes, message.nlmsg_len).subspan(front));
}

bool Attributes::has(std::uint16_t type) const {
  return std::ranges::find(all_, type, &std::pair<std::uint16_t, Bytes>::first) != all_.end();
}

Attributes::Bytes Attributes::bytes(std::uint16_t type) const {
  const auto at = std::ranges::find(all_, type, &std::pair<std::uint16_t, Bytes>::first);
  return at == all_.end() ? Bytes() : at->second;
}

std::string Attributes::string(std::uint16_t type) const {
  const Bytes found = bytes(type);
  return {found.begin(), std::ranges::find(found, 0)};
}

std::uint32_t Attributes::u32(std::uint16_t type) const {
  return number<std::uint32_t>(bytes(type));
}

std::uint64_t Attributes::u64(std::uint16_t type) const {
  return number<std::uint64_t>(bytes(type));
}

std::optional<Attributes> Attributes::nested(std::uint16_t type) const {
  return parse(bytes(type));
}

}  // namespace evojail::nft
