#include "kernel/firewall.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <map>

#include "kernel/firewall_change.hpp"
#include "kernel/firewall_compare.hpp"
#include "kernel/firewall_look.hpp"
#include "kernel/firewall_plan.hpp"
#include "kernel/nftables_batch.hpp"
#include "kernel/nftables_read.hpp"

namespace evojail {
namespace {

using nft::Batch;
using Transaction = Result<std::optional<Batch>>;

// Somebody who changes rules all the time (a ban list) gets in between now and then.
constexpr int kAttempts = 50;

using Counts = std::map<std::string, nft::Count, std::less<>>;

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

/// Whether a first question failed because there is no nf_tables to ask: no netlink of netfilter's
/// (socket(2)), or one that knows no such subsystem (nfnetlink_rcv_msg()).
bool is_for_want_of_nf_tables(const Error& error) {
  const int code = error.code();
  return code == EPROTONOSUPPORT || code == EAFNOSUPPORT || code == EOPNOTSUPP || code == EINVAL;
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

Result<void> Firewall::apply(const FirewallJail& jail,
                             const std::function<bool(const std::string&)>& is_gone) {
  TRY(const nft::Table want, plan_table({&jail, 1}));
  for (int attempt = 0;; ++attempt) {
    std::string in_the_way;
    auto applied = change([&](nft::Socket& kernel, std::uint32_t generation) {
      return step(kernel, generation, jail.name, want, in_the_way);
    });
    // One may hold the port, another the uid.
    if (applied || in_the_way.empty() || attempt == 2 || !is_gone || !is_gone(in_the_way)) {
      return applied;
    }
    CHECK(remove(in_the_way));
  }
}

Result<void> Firewall::remove(std::string_view jail) {
  if (const auto there = generation(); !there && is_for_want_of_nf_tables(there.error())) return {};
  const nft::Table want = plan_shared();
  return change([&](nft::Socket& kernel, std::uint32_t generation) -> Transaction {
    TRY(const auto exists, nft::read_flags(kernel, table_));
    if (!exists) return std::nullopt;
    std::string in_the_way;
    return step(kernel, generation, jail, want, in_the_way);
  });
}

Result<std::optional<Batch>> Firewall::step(nft::Socket& kernel, std::uint32_t generation,
                                            std::string_view jail, const nft::Table& want,
                                            std::string& in_the_way) {
  TRY(const nft::Table have, look_at_jail(kernel, table_, jail, want, in_the_way));
  Batch batch(table_, generation);
  batch.add_table();
  TRY(const bool changed, put_changes(batch, have, want));
  if (!changed) return std::nullopt;
  return batch;
}

Result<void> Firewall::replace_all(std::span<const FirewallJail> jails,
                                   std::optional<std::uint32_t> generation) {
  TRY(const nft::Table wanted, plan_table(jails));
  const auto build = [&](nft::Socket& kernel, std::uint32_t current) -> Transaction {
    TRY(const Counts counts, nft::read_counters(kernel, table_));
    Batch batch(table_, generation.value_or(current));
    batch.add_table();
    batch.delete_table();
    batch.add_table();
    put_table(batch, wanted, counts);
    return batch;
  };
  if (!generation) return change(build);
  TRY(nft::Socket* const kernel, socket());
  TRY(auto batch, build(*kernel, *generation));
  return kernel->commit(*std::move(batch));
}

Result<void> Firewall::remove_table() {
  return change([&](nft::Socket&, std::uint32_t generation) -> Transaction {
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
