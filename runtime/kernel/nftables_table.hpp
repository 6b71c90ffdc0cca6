#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// A table of nf_tables as values: what is planned, what is sent and what was found are the same
/// type and compare with ==. Numbers are those of linux/netfilter.h and
/// linux/netfilter/nf_tables.h. Expressions pass their value on in register 1.
namespace evojail::nft {

using Bytes = std::vector<std::uint8_t>;

/// Loads a fact about the packet (NFT_META_*).
struct Meta {
  std::uint32_t key = 0;
  bool operator==(const Meta&) const = default;
};

/// Loads `length` bytes of a header (NFT_PAYLOAD_*_HEADER).
struct Payload {
  std::uint32_t base = 0;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;
  bool operator==(const Payload&) const = default;
};

/// Turns four bytes from host to network order, in which numbers can be compared byte by byte.
struct ToNetworkOrder {
  bool operator==(const ToNetworkOrder&) const = default;
};

/// Keeps the bits of `mask`.
struct Mask {
  Bytes mask;
  bool operator==(const Mask&) const = default;
};

/// Goes on with the rule only where the value compares so (NFT_CMP_*).
struct Compare {
  std::uint32_t op = 0;
  Bytes value;
  bool operator==(const Compare&) const = default;
};

/// Goes on only where the set has the value; of a map, takes the element's verdict.
struct Lookup {
  std::string set;
  bool verdict = false;
  bool operator==(const Lookup&) const = default;
};

/// Goes on only where the value, a key of the dynamic `set`, has come more often than `rate` times
/// in `unit` seconds, after a first `burst`.
struct LimitOver {
  std::string set;
  std::uint64_t rate = 0;
  std::uint64_t unit = 0;
  std::uint32_t burst = 0;
  bool operator==(const LimitOver&) const = default;
};

/// Adds the packet to a named counter.
struct CountIn {
  std::string counter;
  bool operator==(const CountIn&) const = default;
};

/// NF_ACCEPT, NF_DROP, NFT_GOTO and their like; `chain` for those that go to one.
struct Verdict {
  int code = 0;
  std::string chain;
  bool operator==(const Verdict&) const = default;
};

/// An expression that evojail never writes, or writes otherwise.
struct Other {
  std::string name;
  bool operator==(const Other&) const = default;
};

using Expression = std::variant<Meta, Payload, ToNetworkOrder, Mask, Compare, Lookup, LimitOver,
                                CountIn, Verdict, Other>;
using Rule = std::vector<Expression>;

/// Where a base chain is hooked in.
struct Hook {
  std::uint32_t number = 0;  ///< NF_INET_LOCAL_IN, …
  std::int32_t priority = 0;
  std::uint32_t policy = 0;  ///< NF_ACCEPT or NF_DROP
  std::string type;          ///< "filter"
  bool operator==(const Hook&) const = default;
};

struct Chain {
  std::optional<Hook> hook;
  std::vector<Rule> rules;
  bool operator==(const Chain&) const = default;
};

/// One key, or of an interval set all from `low` to `high`; of a map, with its verdict.
struct Element {
  Bytes low;
  Bytes high;
  std::optional<Verdict> verdict;
  std::string comment;  ///< for people; no part of what an element is
  bool extra = false;   ///< it has a counter, limit, timeout or object, which evojail never gives
  bool operator==(const Element& other) const {
    return low == other.low && high == other.high && verdict == other.verdict &&
           extra == other.extra;
  }
};

struct Set {
  std::uint32_t flags = 0;     ///< NFT_SET_*
  std::uint32_t key_type = 0;  ///< nft's number of the type, for its listing
  std::uint32_t key_length = 0;
  std::uint32_t size = 0;         ///< most elements, 0: any number
  std::uint64_t timeout_ms = 0;   ///< of an element, 0: for ever
  std::vector<Element> elements;  ///< sorted by key; of a dynamic set, none
  bool host_order = false;        ///< of the key's bytes, for nft's listing; not read back
};

/// Whether two sets are made alike, whatever their elements.
[[nodiscard]] bool same_kind(const Set& a, const Set& b);

struct Count {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

struct Table {
  std::uint32_t flags = 0;
  std::map<std::string, Chain, std::less<>> chains;
  std::map<std::string, Set, std::less<>> sets;
  std::map<std::string, Count, std::less<>> counters;
  std::vector<std::string>
      other;  ///< objects of kinds that evojail never makes, as a person reads it
};

/// The next higher number of the same length, big-endian; none after the highest.
[[nodiscard]] std::optional<Bytes> successor(Bytes value);
/// The next lower one; none before zero.
[[nodiscard]] std::optional<Bytes> predecessor(Bytes value);

}  // namespace evojail::nft
