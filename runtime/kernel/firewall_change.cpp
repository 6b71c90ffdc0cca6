#include "kernel/firewall_change.hpp"

#include <fmt/format.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <variant>

namespace evojail {
namespace {

using nft::Batch;
using nft::Table;

/// The elements of `set` that `other` does not have.
nft::Set without(const nft::Set& set, const nft::Set* other) {
  nft::Set rest = set;
  if (other != nullptr) {
    std::erase_if(rest.elements, [&](const nft::Element& element) {
      return std::ranges::find(other->elements, element) != other->elements.end();
    });
  }
  return rest;
}

template <class Map>
const typename Map::mapped_type* find(const Map& map, std::string_view name) {
  const auto at = map.find(name);
  return at == map.end() ? nullptr : &at->second;
}

std::unexpected<Error> not_ours(std::string_view kind, std::string_view name) {
  return std::unexpected(
      Error(fmt::format("{} '{}' of the firewall's table was changed by hand", kind, name))
          .hint("remove the table with 'nft delete table', then have evojail write it anew"));
}

class Changes {
 public:
  Changes(Batch& batch, const Table& have, const Table& want)
      : batch_(batch), have_(have), want_(want) {}

  Result<bool> put() {
    CHECK(decide());
    // Batch::add_table() sets them.
    changed_ = have_.flags != want_.flags;
    remove_elements();
    for (const auto& name : emptied_) batch_.flush_chain(name);
    for (const auto& name : stale_sets_) batch_.delete_set(name);
    for (const auto& name : stale_chains_) batch_.delete_chain(name);
    remove_counters();
    add_objects();
    add_rules();
    add_elements();
    return changed_ || !emptied_.empty() || !stale_sets_.empty() || !stale_chains_.empty();
  }

 private:
  /// What has to go before anything new can come.
  Result<void> decide() {
    for (const auto& [name, set] : have_.sets) {
      const nft::Set* wanted = find(want_.sets, name);
      if (wanted != nullptr && nft::same_kind(set, *wanted)) continue;
      // Other jails have their elements in a map.
      if ((set.flags & NFT_SET_MAP) != 0 ||
          (wanted != nullptr && (wanted->flags & NFT_SET_MAP) != 0)) {
        return not_ours("map", name);
      }
      stale_sets_.insert(name);
    }
    for (const auto& [name, chain] : have_.chains) {
      const nft::Chain* wanted = find(want_.chains, name);
      if (wanted != nullptr && wanted->hook == chain.hook) continue;
      if (wanted != nullptr && !wanted->hook) return not_ours("chain", name);
      stale_chains_.insert(name);
    }
    // A set or chain can only go once no rule refers to it.
    for (const auto& [name, chain] : have_.chains) {
      const nft::Chain* wanted = find(want_.chains, name);
      if (stale_chains_.contains(name) || wanted->rules != chain.rules ||
          std::ranges::any_of(chain.rules, [&](const nft::Rule& rule) { return is_stale(rule); })) {
        emptied_.insert(name);
      }
    }
    return {};
  }

  /// Whether the rule refers to what goes.
  [[nodiscard]] bool is_stale(const nft::Rule& rule) const {
    return std::ranges::any_of(rule, [&](const nft::Expression& expression) {
      if (const auto* lookup = std::get_if<nft::Lookup>(&expression)) {
        return stale_sets_.contains(lookup->set);
      }
      if (const auto* limit = std::get_if<nft::LimitOver>(&expression)) {
        return stale_sets_.contains(limit->set);
      }
      const auto* verdict = std::get_if<nft::Verdict>(&expression);
      return verdict != nullptr && stale_chains_.contains(verdict->chain);
    });
  }

  void remove_elements() {
    for (const auto& [name, set] : have_.sets) {
      if (stale_sets_.contains(name)) continue;
      const nft::Set gone = without(set, find(want_.sets, name));
      changed_ |= !gone.elements.empty();
      batch_.delete_elements(name, gone);
    }
  }

  void remove_counters() {
    for (const auto& [name, count] : have_.counters) {
      if (want_.counters.contains(name)) continue;
      changed_ = true;
      batch_.delete_counter(name);
    }
  }

  void add_objects() {
    for (const auto& [name, count] : want_.counters) {
      if (have_.counters.contains(name)) continue;
      changed_ = true;
      batch_.add_counter(name, count);
    }
    for (const auto& [name, set] : want_.sets) {
      if (have_.sets.contains(name) && !stale_sets_.contains(name)) continue;
      changed_ = true;
      batch_.add_set(name, set);
    }
    for (const auto& [name, chain] : want_.chains) {
      if (have_.chains.contains(name) && !stale_chains_.contains(name)) continue;
      changed_ = true;
      batch_.add_chain(name, chain);
    }
  }

  void add_rules() {
    for (const auto& [name, chain] : want_.chains) {
      if (have_.chains.contains(name) && !emptied_.contains(name)) continue;
      for (const auto& rule : chain.rules) batch_.add_rule(name, rule);
    }
  }

  void add_elements() {
    for (const auto& [name, set] : want_.sets) {
      const nft::Set* there = stale_sets_.contains(name) ? nullptr : find(have_.sets, name);
      const nft::Set fresh = without(set, there);
      changed_ |= !fresh.elements.empty();
      batch_.add_elements(name, fresh);
    }
  }

  Batch& batch_;
  const Table& have_;
  const Table& want_;
  bool changed_ = false;
  std::set<std::string, std::less<>> stale_sets_;
  std::set<std::string, std::less<>> stale_chains_;
  std::set<std::string, std::less<>> emptied_;
};

}  // namespace

Result<bool> put_changes(Batch& batch, const Table& have, const Table& want) {
  return Changes(batch, have, want).put();
}

void put_table(Batch& batch, const Table& table,
               const std::map<std::string, nft::Count, std::less<>>& counts) {
  for (const auto& [name, start] : table.counters) {
    const nft::Count* count = find(counts, name);
    batch.add_counter(name, count == nullptr ? start : *count);
  }
  for (const auto& [name, set] : table.sets) batch.add_set(name, set);
  for (const auto& [name, chain] : table.chains) batch.add_chain(name, chain);
  for (const auto& [name, chain] : table.chains) {
    for (const auto& rule : chain.rules) batch.add_rule(name, rule);
  }
  for (const auto& [name, set] : table.sets) batch.add_elements(name, set);
}

}  // namespace evojail
