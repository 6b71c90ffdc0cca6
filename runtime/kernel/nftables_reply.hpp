#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/nftables_table.hpp"

struct nlmsghdr;

/// What the kernel's messages say, as values. Nothing where a message cannot be understood.
namespace evojail::nft {

/// Whose object a message is about.
struct Owner {
  std::uint8_t family = 0;  ///< NFPROTO_*
  std::string table;
  bool operator==(const Owner&) const = default;
};

struct FoundChain {
  Owner owner;
  std::string name;
  Chain chain;  ///< without rules
};

struct FoundRule {
  Owner owner;
  std::string chain;
  Rule rule;
};

struct FoundSet {
  Owner owner;
  std::string name;
  Set set;  ///< without elements
};

/// One element as the kernel has it: of an interval set, a beginning or the key behind an end.
struct FoundElement {
  Element element;
  bool past_end = false;
  bool catch_all = false;  ///< stands for every key that has no element
};

struct FoundObject {
  Owner owner;
  std::string name;
  std::uint32_t type = 0;  ///< NFT_OBJECT_*
  Count count;             ///< of a counter
};

[[nodiscard]] std::optional<std::uint32_t> decode_table_flags(const nlmsghdr& message);
[[nodiscard]] std::optional<FoundChain> decode_chain(const nlmsghdr& message);
[[nodiscard]] std::optional<FoundRule> decode_rule(const nlmsghdr& message);
[[nodiscard]] std::optional<FoundSet> decode_set(const nlmsghdr& message);
[[nodiscard]] std::optional<std::vector<FoundElement>> decode_elements(const nlmsghdr& message);
[[nodiscard]] std::optional<FoundObject> decode_object(const nlmsghdr& message);
[[nodiscard]] std::optional<std::string> decode_flowtable(const nlmsghdr& message,
                                                          std::string_view table);
[[nodiscard]] std::optional<std::uint32_t> decode_generation(const nlmsghdr& message);

/// Whose object a notification is about, whatever the object: every kind has its table's name in
/// the same attribute. None for a message that is about no table.
[[nodiscard]] std::optional<Owner> decode_owner(const nlmsghdr& message);

/// Elements of a set as they were planned: of an interval set, beginnings and ends joined to
/// intervals; sorted.
[[nodiscard]] std::vector<Element> join_elements(std::vector<FoundElement> found, bool interval);

}  // namespace evojail::nft
