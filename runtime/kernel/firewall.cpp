#include "kernel/firewall.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <map>

#include "kernel/firewall_compare.hpp"
#include "kernel/firewall_plan.hpp"
#include "kernel/nftables_batch.hpp"
#include "kernel/nftables_read.hpp"

namespace evojail {
namespace {

using nft::Batch;

// Somebody who changes rules all the time (a ban list) gets in between now and then.
constexpr int kAttempts = 50;

constexpr std::string_view kMaps[] = {firewall_names::ports, firewall_names::owners};

/// A jail's objects as they are in the kernel.
struct Existing {
  bool chain_in = false;
  bool chain_out = false;
  std::vector<std::string> sets;
  std::vector<std::string> counters;
  std::map<std::string, nft::Set, std::less<>> elements;  ///< of both maps, the jail's own

  [[nodiscard]] bool nothing() const {
    return !chain_in && !chain_out && sets.empty() && counters.empty() && elements.empty();
  }
};

/// The jail that a map's element leads to; none for an element that evojail did not make.
std::optional<std::string> jail_behind(const nft::Element& element) {
  constexpr std::string_view prefix = "jail/";
  if (!element.verdict || !element.verdict->chain.starts_with(prefix)) return std::nullopt;
  const std::string name = element.verdict->chain.substr(prefix.size());
  return name.substr(0, name.find('/'));
}

const nft::Set* find_set(const nft::Table* table, std::string_view name) {
  if (table == nullptr) return nullptr;
  const auto at = table->sets.find(name);
  return at == table->sets.end() ? nullptr : &at->second;
}

/// The elements of a map that are to go: the jail's own, and on the wanted keys those that evojail
/// did not make. A key that another jail has is an error.
Result<void> pick_elements(Existing& existing, std::string_view map,
                           const std::vector<nft::Element>& found, std::string_view jail,
                           const nft::Set* wanted) {
  for (const auto& element : found) {
    const auto owner = jail_behind(element);
    const bool in_the_way =
        wanted != nullptr && std::ranges::find(wanted->elements, element.low, &nft::Element::low) !=
                                 wanted->elements.end();
    if (owner == jail || (in_the_way && !owner)) {
      existing.elements[std::string(map)].elements.push_back(element);
    } else if (in_the_way) {
      return fail(fmt::format("in the firewall, jail '{}' has the same {}", *owner,
                              map == firewall_names::ports ? "port" : "uid range"));
    }
  }
  return {};
}

Result<Existing> look(nft::Socket& socket, const std::string& table, std::string_view jail,
                      const nft::Table* wanted) {
  const FirewallNames names(jail);
  Existing existing;
  for (const std::string_view map : kMaps) {
    TRY(const auto found, nft::read_elements(socket, table, map, false));
    CHECK(pick_elements(existing, map, found, jail, find_set(wanted, map)));
  }
  TRY(existing.chain_in, nft::has_chain(socket, table, names.in));
  TRY(existing.chain_out, nft::has_chain(socket, table, names.out));
  for (const auto& name : names.sets()) {
    TRY(const bool there, nft::has_set(socket, table, name));
    if (there) existing.sets.push_back(name);
  }
  for (const auto& name : names.counters()) {
    TRY(const auto count, nft::read_counter(socket, table, name));
    if (count) existing.counters.push_back(name);
  }
  return existing;
}

/// Elements, rules and sets of the jail go; what refers to a thing goes before it.
void clear(Batch& batch, const Existing& existing, const FirewallNames& names) {
  for (const auto& [map, content] : existing.elements) batch.delete_elements(map, content);
  if (existing.chain_in) batch.flush_chain(names.in);
  if (existing.chain_out) batch.flush_chain(names.out);
  for (const auto& set : existing.sets) batch.delete_set(set);
}

using Counts = std::map<std::string, nft::Count, std::less<>>;

/// Counters, empty sets and empty chains: what rules and elements refer to.
void add_objects(Batch& batch, const nft::Table& table, const Counts& kept = {}) {
  for (const auto& [name, start] : table.counters) {
    const auto count = kept.find(name);
    batch.add_counter(name, count == kept.end() ? start : count->second);
  }
  for (const auto& [name, set] : table.sets) batch.add_set(name, set);
  for (const auto& [name, chain] : table.chains) batch.add_chain(name, chain);
}

void add_contents(Batch& batch, const nft::Table& table) {
  for (const auto& [name, chain] : table.chains) {
    for (const auto& rule : chain.rules) batch.add_rule(name, rule);
  }
  for (const auto& [name, set] : table.sets) batch.add_elements(name, set);
}

FirewallCount count_of(const Counts& counts, std::string_view name) {
  const auto at = counts.find(name);
  return at == counts.end() ? FirewallCount{} : FirewallCount{at->second.packets, at->second.bytes};
}

FirewallCounters counters_of(const Counts& counts, std::string_view jail) {
  const FirewallNames names(jail);
  return {count_of(counts, names.received), count_of(counts, names.sent),
          count_of(counts, names.refused), count_of(counts, names.limited),
          count_of(counts, names.stopped)};
}

}  // namespace

/// The socket, opened with the first question.
class Firewall::Kernel {
 public:
  explicit Kernel(nft::Socket opened) : socket(std::move(opened)) {}
  nft::Socket socket;
};

Firewall::Firewall(std::string table) : table_(std::move(table)) {}
Firewall::Firewall(Firewall&&) noexcept = default;
Firewall& Firewall::operator=(Firewall&&) noexcept = default;
Firewall::~Firewall() = default;

Result<nft::Socket*> Firewall::socket() {
  if (!kernel_) {
    TRY(auto opened, nft::Socket::open());
    kernel_ = std::make_unique<Kernel>(std::move(opened));
  }
  return &kernel_->socket;
}

Result<void> Firewall::change(const Build& build) {
  TRY(nft::Socket* const kernel, socket());
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    TRY(const std::uint32_t generation, nft::read_generation(*kernel));
    auto batch = build(*kernel, generation);
    if (!batch && batch.error().code() == EINTR) continue;
    if (!batch) return std::unexpected(std::move(batch).error());
    if (!*batch) return {};
    auto done = kernel->commit(**std::move(batch));
    if (done || done.error().code() != ERESTART) return done;
  }
  return fail(fmt::format("table inet {}: other programs keep changing the firewall", table_));
}

Result<void> Firewall::apply(const FirewallJail& jail) {
  CHECK(check_firewall_jail(jail));
  const nft::Table shared = plan_shared();
  const nft::Table wanted = plan_jail(jail);
  const FirewallNames names(jail.name);
  return change([&](nft::Socket& kernel, std::uint32_t generation) -> Result<std::optional<Batch>> {
    TRY(const Existing existing, look(kernel, table_, jail.name, &wanted));
    Batch batch(table_, generation);
    batch.add_table();
    add_objects(batch, shared);
    for (const auto& [name, chain] : shared.chains) batch.flush_chain(name);
    clear(batch, existing, names);
    if (existing.chain_out && !wanted.chains.contains(names.out)) batch.delete_chain(names.out);
    add_objects(batch, wanted);
    add_contents(batch, shared);
    add_contents(batch, wanted);
    return batch;
  });
}

Result<void> Firewall::remove(std::string_view jail) {
  const FirewallNames names(jail);
  return change([&](nft::Socket& kernel, std::uint32_t generation) -> Result<std::optional<Batch>> {
    TRY(const Existing existing, look(kernel, table_, jail, nullptr));
    if (existing.nothing()) return std::nullopt;
    Batch batch(table_, generation);
    batch.add_table();
    clear(batch, existing, names);
    if (existing.chain_in) batch.delete_chain(names.in);
    if (existing.chain_out) batch.delete_chain(names.out);
    for (const auto& counter : existing.counters) batch.delete_counter(counter);
    return batch;
  });
}

Result<void> Firewall::replace_all(std::span<const FirewallJail> jails,
                                   std::optional<std::uint32_t> generation) {
  TRY(const nft::Table wanted, plan_table(jails));
  const auto build = [&](nft::Socket& kernel,
                         std::uint32_t current) -> Result<std::optional<Batch>> {
    TRY(const Counts counts, nft::read_counters(kernel, table_));
    Batch batch(table_, generation.value_or(current));
    batch.add_table();
    batch.delete_table();
    batch.add_table();
    add_objects(batch, wanted, counts);
    add_contents(batch, wanted);
    return batch;
  };
  if (!generation) return change(build);
  TRY(nft::Socket* const kernel, socket());
  TRY(auto batch, build(*kernel, *generation));
  return kernel->commit(*std::move(batch));
}

Result<void> Firewall::remove_table() {
  return change([&](nft::Socket&, std::uint32_t generation) -> Result<std::optional<Batch>> {
    // Adding it first makes the removal of no table none of an error.
    Batch batch(table_, generation);
    batch.add_table();
    batch.delete_table();
    return batch;
  });
}

Result<FirewallCounters> Firewall::counters(std::string_view jail) {
  TRY(nft::Socket* const kernel, socket());
  Counts counts;
  for (const auto& name : FirewallNames(jail).counters()) {
    TRY(const auto count, nft::read_counter(*kernel, table_, name));
    if (count) counts[name] = *count;
  }
  return counters_of(counts, jail);
}

Result<FirewallCount> Firewall::stray() {
  TRY(nft::Socket* const kernel, socket());
  TRY(const auto count, nft::read_counter(*kernel, table_, firewall_names::stray));
  return count ? FirewallCount{count->packets, count->bytes} : FirewallCount{};
}

Result<std::uint32_t> Firewall::generation() {
  TRY(nft::Socket* const kernel, socket());
  return nft::read_generation(*kernel);
}

Result<FirewallDrift> Firewall::compare(std::span<const FirewallJail> jails) {
  TRY(const nft::Table wanted, plan_table(jails));
  TRY(nft::Socket* const kernel, socket());
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    auto found = nft::read_table(*kernel, table_);
    if (!found && found.error().code() == EINTR) continue;
    if (!found) return std::unexpected(std::move(found).error());
    if (!*found) return FirewallDrift{{fmt::format("table inet {}", table_)}, {}};
    return compare_tables(wanted, **found);
  }
  return fail(fmt::format("table inet {}: other programs keep changing the firewall", table_));
}

}  // namespace evojail
