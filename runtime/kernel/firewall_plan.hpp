#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "config/address.hpp"
#include "kernel/firewall.hpp"
#include "kernel/nftables_table.hpp"

namespace evojail {

/// Names of what all jails share.
namespace firewall_names {
inline constexpr std::string_view input = "input";    ///< base chain
inline constexpr std::string_view output = "output";  ///< base chain
inline constexpr std::string_view wall = "wall";      ///< where packets of jails' uids go
inline constexpr std::string_view ports = "ports";    ///< map: port to the jail's chain
inline constexpr std::string_view owners = "owners";  ///< map: uid to the jail's chain
inline constexpr std::string_view stray = "stray";    ///< counter
}  // namespace firewall_names

/// Names of one jail's objects: "jail/NAME/in" and so on. A slash is fine in nft's identifiers and
/// cannot be in a jail's name, so no two jails meet; the prefix keeps off nft's keywords and lets a
/// name start with a digit. The longest, 80 bytes, is well below NFT_NAME_MAXLEN.
struct FirewallNames {
  explicit FirewallNames(std::string_view jail);

  std::string in;       ///< chain: packets to the port
  std::string allowed;  ///< chain: those of them that come from an allowed source
  std::string out;      ///< chain: packets of the jail's sockets
  std::string allow4;   ///< set: allowed sources
  std::string allow6;   ///< set
  std::string recent4;  ///< dynamic set: sources of new connections
  std::string recent6;  ///< dynamic set, by /64
  std::string received, sent, refused, limited, stopped;  ///< counters

  [[nodiscard]] std::array<std::string, 3> chains() const;
  [[nodiscard]] std::array<std::string, 4> sets() const;
  [[nodiscard]] std::array<std::string, 5> counters() const;
};

/// The fewest intervals [low, high] that hold exactly the networks of one family: disjoint, not
/// even touching, sorted. The kernel refuses elements that overlap.
[[nodiscard]] std::vector<std::pair<nft::Bytes, nft::Bytes>> merge_networks(
    std::span<const Prefix> networks, Prefix::Family family);

/// A jail that has no port, or a uid outside the jails' ranges, cannot be planned.
[[nodiscard]] Result<void> check_firewall_jail(const FirewallJail& jail);

/// What all jails share: base chains, the wall, both maps (empty).
[[nodiscard]] nft::Table plan_shared();

/// One jail's chains, sets and counters, and its elements of the maps.
[[nodiscard]] nft::Table plan_jail(const FirewallJail& jail);

/// The whole table. A name, a port or a uid that two jails have is an error.
[[nodiscard]] Result<nft::Table> plan_table(std::span<const FirewallJail> jails);

}  // namespace evojail
