#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/address.hpp"

namespace evojail {

namespace nft {
class Batch;
class Socket;
struct Table;
}  // namespace nft

/// What the firewall has to know of one jail, running or not.
struct FirewallJail {
  std::string name;
  std::uint16_t port = 0;
  bool allow_all = false;
  std::vector<Prefix> allow;    ///< any order, may overlap; empty without allow_all: nobody
  std::uint32_t owner_uid = 0;  ///< the jail's base uid B; 0: no range leased yet
  unsigned new_connections_per_minute = 0;  ///< from one source (IPv6: one /64); 0: no limit

  bool operator==(const FirewallJail&) const = default;
};

/// Packets and bytes, as the kernel's counters hold them.
struct FirewallCount {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;

  bool operator==(const FirewallCount&) const = default;
};

/// What one jail's chains have counted since the table was made; changes of its settings keep it.
struct FirewallCounters {
  FirewallCount received;  ///< from allowed sources
  FirewallCount sent;      ///< by its sessions
  FirewallCount refused;   ///< from sources that are not allowed
  FirewallCount limited;   ///< new connections beyond the limit
  FirewallCount stopped;   ///< what a session's socket tried to send elsewhere: the output wall
};

/// How the kernel's table differs from the wanted one, a line for a person each.
struct FirewallDrift {
  std::vector<std::string> missing;  ///< wanted, not there
  std::vector<std::string> foreign;  ///< there, not wanted
  [[nodiscard]] bool none() const { return missing.empty() && foreign.empty(); }
};

/// A base chain of another table, on a hook that packets to or from a jail pass as well.
struct OtherChain {
  std::string family;  ///< "inet", "ip" or "ip6"
  std::string table;
  std::string chain;
  std::string hook;  ///< "prerouting", "input" or "output"
  int priority = 0;  ///< lower runs earlier; evojail's own chains are at 0
  bool policy_drop = false;
  bool may_drop =
      false;  ///< the policy drops, or a rule in it drops, rejects, queues or goes elsewhere
};

/// The table `inet NAME` of the network namespace that the process is in: who may reach each jail's
/// port, and what a jail's sockets may send. Needs CAP_NET_ADMIN there. Every change is one
/// transaction: packets meet the old rules or the new ones. Changes by others between the look at
/// the table and the transaction are noticed (generation number) and the step is repeated. Not for
/// use by two threads at once.
class Firewall {
 public:
  explicit Firewall(std::string table);
  Firewall(Firewall&&) noexcept;
  Firewall& operator=(Firewall&&) noexcept;
  ~Firewall();

  /// Adds this jail's chains, sets and map entries, or replaces them (an old port's entry goes in
  /// the same transaction), and makes or mends what all jails share. Counters are kept. A port or
  /// uid that another jail holds in the table is an error, unless `is_gone` says of it that there
  /// is no such jail any more: then it is taken out first. After a change of port, sessions on the
  /// old one can neither send nor be heard: end them.
  [[nodiscard]] Result<void> apply(const FirewallJail& jail,
                                   const std::function<bool(const std::string&)>& is_gone = {});

  /// Takes everything of the jail out of the table. A jail that is not in it is fine, and so is a
  /// kernel without nf_tables, which has no table: jails are moved and removed there too.
  [[nodiscard]] Result<void> remove(std::string_view jail);

  /// The whole table anew, whatever was in it; counters of jails that stay are kept. With
  /// `generation`, only while nothing has changed since generation() returned that number, else an
  /// Error whose code() is ERESTART.
  [[nodiscard]] Result<void> replace_all(std::span<const FirewallJail> jails,
                                         std::optional<std::uint32_t> generation = std::nullopt);

  /// Takes the whole table away, other tables untouched. No table is fine.
  [[nodiscard]] Result<void> remove_table();

  /// Counters of a jail; one that is not in the table has counted nothing.
  [[nodiscard]] Result<FirewallCounters> counters(std::string_view jail);

  /// Packets of jails' uids that no jail in the table owns: dropped, and never seen on a sound
  /// host.
  [[nodiscard]] Result<FirewallCount> stray();

  /// What is missing or foreign in the kernel's table, down to single rules and addresses.
  [[nodiscard]] Result<FirewallDrift> compare(std::span<const FirewallJail> jails);

  /// The number of the rule set of this network namespace: every transaction, by anybody and to any
  /// table, makes it another one. Read it before the settings, and hand it to replace_all(): then
  /// settings that were changed in between cannot be undone.
  [[nodiscard]] Result<std::uint32_t> generation();

  /// Base chains of other tables that can drop what this table accepts: an accept here ends only
  /// this table's chain. Sorted by hook and priority.
  [[nodiscard]] Result<std::vector<OtherChain>> other_chains();

 private:
  friend class FirewallWatch;
  class Kernel;
  /// Makes a transaction for the table as it is at this generation; none where nothing is to do.
  using Build =
      std::function<Result<std::optional<nft::Batch>>(nft::Socket&, std::uint32_t generation)>;
  Result<void> change(const Build& build);
  Result<nft::Socket*> socket();
  Result<std::optional<nft::Batch>> step(nft::Socket& kernel, std::uint32_t generation,
                                         std::string_view jail, const nft::Table& want,
                                         std::string& in_the_way);

  std::string table_;
  std::unique_ptr<Kernel> kernel_;
};

}  // namespace evojail
