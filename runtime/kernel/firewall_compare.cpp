#include "kernel/firewall_compare.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>

#include "base/printable.hpp"

namespace evojail {
namespace {

/// The kernel takes any bytes for a name.
std::string name_of(std::string_view kind, std::string_view name) {
  return fmt::format("{} {}", kind, printable(name));
}

std::string format_address(const nft::Bytes& bytes) {
  char text[INET6_ADDRSTRLEN] = {};
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  return ::inet_ntop(family, bytes.data(), text, sizeof text) == nullptr ? "?" : text;
}

/// A key as a person reads it: an address, a range of them, a port or a uid.
std::string format_key(const nft::Element& element, bool address) {
  if (element.low.empty()) return "*";
  if (address && (element.low.size() == 4 || element.low.size() == 16)) {
    if (element.low == element.high) return format_address(element.low);
    return format_address(element.low) + "-" + format_address(element.high);
  }
  if (element.low.size() == 2) return fmt::format("{}", element.low[0] << 8 | element.low[1]);
  if (element.low.size() == sizeof(std::uint32_t)) {
    std::uint32_t uid = 0;
    std::memcpy(&uid, element.low.data(), sizeof uid);
    return fmt::format("{}", uid);
  }
  return fmt::format("{} bytes", element.low.size());
}

class Comparison {
 public:
  FirewallDrift drift;

  void missing(std::string what) { drift.missing.push_back(std::move(what)); }
  void foreign(std::string what) { drift.foreign.push_back(std::move(what)); }

  /// Goes through two maps by name: what only one of them has is said, what both have is compared.
  template <class Map, class Both>
  void by_name(std::string_view kind, const Map& wanted, const Map& found, Both both) {
    for (const auto& [name, object] : wanted) {
      const auto at = found.find(name);
      if (at == found.end()) {
        missing(name_of(kind, name));
      } else {
        both(name, object, at->second);
      }
    }
    for (const auto& [name, object] : found) {
      if (!wanted.contains(name)) foreign(name_of(kind, name));
    }
  }

  void chains(const std::string& name, const nft::Chain& wanted, const nft::Chain& found) {
    if (wanted.hook != found.hook)
      foreign(fmt::format("hook, priority or policy of chain {}", name));
    rules(name, wanted.rules, found.rules);
  }

  /// Rules have no names. Each wanted one is looked for behind the last one found; those in between
  /// are foreign, so an exchange of two shows as one missing and one foreign.
  void rules(const std::string& chain, const std::vector<nft::Rule>& wanted,
             const std::vector<nft::Rule>& found) {
    auto from = found.begin();
    std::size_t strangers = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto at = std::find(from, found.end(), wanted[i]);
      if (at == found.end()) {
        missing(fmt::format("rule {} of chain {}", i + 1, chain));
        continue;
      }
      strangers += static_cast<std::size_t>(at - from);
      from = at + 1;
    }
    strangers += static_cast<std::size_t>(found.end() - from);
    if (strangers != 0) {
      foreign(fmt::format("{} in chain {}",
                          strangers == 1 ? "a rule" : fmt::format("{} rules", strangers), chain));
    }
  }

  void sets(const std::string& name, const nft::Set& wanted, const nft::Set& found) {
    if (!nft::same_kind(wanted, found)) {
      foreign(fmt::format("type, size or flags of set {}", name));
    }
    const bool address = name.starts_with("jail/");
    const auto text = [&](const nft::Element& element) {
      return fmt::format("element {} of set {}", format_key(element, address), name);
    };
    for (const auto& element : wanted.elements) {
      if (!has(found.elements, element)) missing(text(element));
    }
    for (const auto& element : found.elements) {
      if (!has(wanted.elements, element)) foreign(text(element));
    }
  }

 private:
  /// Both lists are sorted by `low`.
  static bool has(const std::vector<nft::Element>& elements, const nft::Element& wanted) {
    const auto range = std::ranges::equal_range(elements, wanted.low, {}, &nft::Element::low);
    return std::ranges::find(range, wanted) != range.end();
  }
};

}  // namespace

FirewallDrift compare_tables(const nft::Table& wanted, const nft::Table& found) {
  Comparison comparison;
  if (wanted.flags != found.flags) comparison.foreign("flags of the table (dormant?)");
  comparison.by_name("chain", wanted.chains, found.chains,
                     [&](const auto&... both) { comparison.chains(both...); });
  comparison.by_name("set", wanted.sets, found.sets,
                     [&](const auto&... both) { comparison.sets(both...); });
  comparison.by_name("counter", wanted.counters, found.counters,
                     [](const auto&, const auto&, const auto&) {});
  for (const auto& other : found.other) comparison.foreign(printable(other));
  return std::move(comparison.drift);
}

}  // namespace evojail
