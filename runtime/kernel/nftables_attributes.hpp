#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernel/nftables_table.hpp"

struct nlmsghdr;

namespace evojail::nft {

/// The attributes of a netlink message, or those nested in one of them, by type; of several of one
/// type the first counts. Points into the message. What is not there reads as zero or empty, as the
/// kernel takes it. libnftnl has readers of its own, but they end the process on a message that
/// they do not like.
class Attributes {
 public:
  using Bytes = std::span<const std::uint8_t>;

  Attributes() = default;
  /// None where a length does not fit.
  [[nodiscard]] static std::optional<Attributes> parse(Bytes bytes);
  /// Those behind the header of a message to or from nf_tables (struct nfgenmsg).
  [[nodiscard]] static std::optional<Attributes> of(const nlmsghdr& message);

  [[nodiscard]] bool has(std::uint16_t type) const;
  [[nodiscard]] Bytes bytes(std::uint16_t type) const;
  [[nodiscard]] std::string string(std::uint16_t type) const;  ///< up to a NUL
  [[nodiscard]] std::uint32_t u32(std::uint16_t type) const;   ///< of network order
  [[nodiscard]] std::uint64_t u64(std::uint16_t type) const;
  /// None where it is malformed; where it is not there, it has no attributes.
  [[nodiscard]] std::optional<Attributes> nested(std::uint16_t type) const;

  [[nodiscard]] const std::vector<std::pair<std::uint16_t, Bytes>>& all() const { return all_; }

 private:
  std::vector<std::pair<std::uint16_t, Bytes>> all_;
};

}  // namespace evojail::nft
