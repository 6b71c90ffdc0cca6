#include "kernel/firewall_look.hpp"

#include <fmt/format.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <optional>

#include "kernel/firewall_plan.hpp"
#include "kernel/nftables_read.hpp"

namespace evojail {
namespace {

/// The jail that a map's element leads to; none for an element that evojail did not make.
std::optional<std::string> jail_behind(const nft::Element& element) {
  constexpr std::string_view prefix = "jail/";
  if (!element.verdict || !element.verdict->chain.starts_with(prefix)) return std::nullopt;
  const std::string name = element.verdict->chain.substr(prefix.size());
  return name.substr(0, name.find('/'));
}

/// The port that a jail has, which is the only one that its sockets may answer from.
std::optional<nft::Bytes> port_of(const nft::Chain& out) {
  constexpr nft::Payload source_port{
      .base = NFT_PAYLOAD_TRANSPORT_HEADER, .offset = 0, .length = 2};
  for (const nft::Rule& rule : out.rules) {
    for (std::size_t i = 0; i + 1 < rule.size(); ++i) {
      const auto* payload = std::get_if<nft::Payload>(&rule[i]);
      const auto* port = std::get_if<nft::Compare>(&rule[i + 1]);
      if (payload == nullptr || port == nullptr) continue;
      if (*payload == source_port) return port->value;
    }
  }
  return std::nullopt;
}

class Look {
 public:
  Look(nft::Socket& socket, const std::string& table, std::string_view jail, const nft::Table& want,
       std::string& in_the_way)
      : socket_(socket), table_(table), jail_(jail), want_(want), in_the_way_(in_the_way) {}

  Result<nft::Table> all() {
    const FirewallNames names(jail_);
    const nft::Table shared = plan_shared();
    TRY(const auto flags, nft::read_flags(socket_, table_));
    if (!flags) return nft::Table();
    found_.flags = *flags;
    for (const auto& [name, chain] : shared.chains) CHECK(chain_named(name));
    for (const auto& name : names.chains()) CHECK(chain_named(name));
    for (const auto& name : names.sets()) {
      TRY(auto set, nft::read_set(socket_, table_, name));
      if (set) found_.sets.emplace(name, *std::move(set));
    }
    for (const auto& [name, count] : shared.counters) CHECK(counter_named(name));
    for (const auto& name : names.counters()) CHECK(counter_named(name));
    const auto out = found_.chains.find(names.out);
    CHECK(map_named(firewall_names::ports, names.in, "port",
                    out == found_.chains.end() ? std::nullopt : port_of(out->second)));
    CHECK(map_named(firewall_names::owners, names.out, "uid range", std::nullopt));
    return std::move(found_);
  }

 private:
  Result<void> chain_named(const std::string& name) {
    TRY(auto chain, nft::read_chain(socket_, table_, name));
    if (chain) found_.chains.emplace(name, *std::move(chain));
    return {};
  }

  Result<void> counter_named(const std::string& name) {
    TRY(const auto count, nft::read_counter(socket_, table_, name));
    if (count) found_.counters.emplace(name, *count);
    return {};
  }

  /// The whole map is read only where an element may have to go and its key is not known. Where the
  /// wanted one is in place, or the one with the key of before, there is no other (each change
  /// takes the old one away), and where the jail's chain is not there, nothing can lead to it.
  Result<void> map_named(std::string_view name, const std::string& chain, std::string_view what,
                         const std::optional<nft::Bytes>& key_before) {
    TRY(auto map, nft::read_set_kind(socket_, table_, name));
    if (!map) return {};
    const auto wanted = want_.sets.find(name);
    bool in_place = !found_.chains.contains(chain);
    if (wanted != want_.sets.end()) {
      for (const auto& element : wanted->second.elements) {
        TRY(auto there, nft::read_element(socket_, table_, name, element.low));
        if (!there) continue;
        const auto owner = jail_behind(*there);
        if (owner && owner != jail_) {
          in_the_way_ = *owner;
          return std::unexpected(
              Error(fmt::format("in the firewall, jail '{}' has the same {}", *owner, what))
                  .hint("'evojail firewall all' makes the rules anew, from these settings alone; "
                        "jails of another installation need a network namespace of their own"));
        }
        in_place |= *there == element;
        map->elements.push_back(*std::move(there));
      }
    }
    if (!in_place) CHECK(add_old(*map, name, key_before));
    found_.sets.emplace(name, *std::move(map));
    return {};
  }

  Result<void> add_old(nft::Set& map, std::string_view name,
                       const std::optional<nft::Bytes>& key_before) {
    const auto add = [&](nft::Element& element) {
      if (jail_behind(element) != jail_) return false;
      const bool known = std::ranges::find(map.elements, element) != map.elements.end();
      if (!known) map.elements.push_back(std::move(element));
      return true;
    };
    if (key_before) {
      TRY(auto there, nft::read_element(socket_, table_, name, *key_before));
      if (there && add(*there)) return {};
    }
    TRY(auto elements, nft::read_elements(socket_, table_, name, false));
    for (auto& element : elements) add(element);
    return {};
  }

  nft::Socket& socket_;
  const std::string& table_;
  std::string_view jail_;
  const nft::Table& want_;
  std::string& in_the_way_;
  nft::Table found_;
};

}  // namespace

Result<nft::Table> look_at_jail(nft::Socket& socket, const std::string& table,
                                std::string_view jail, const nft::Table& want,
                                std::string& in_the_way) {
  return Look(socket, table, jail, want, in_the_way).all();
}

}  // namespace evojail
