#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "store/engine.hpp"
#include "store/inc_record.hpp"
#include "store/open_sessions.hpp"
#include "store/tree_clock.hpp"

namespace evojail {

/// One entry of INCDIR/NAME.
struct IncInfo {
  std::string name;
  bool dated = true;                ///< named %Y-%m-%d-%H; what is not is listed, never removed
  bool held = false;                ///< a hold binds it: rm and remove leave it
  std::string identity;             ///< ListDetail::full only
  std::optional<IncRecord> record;  ///< ListDetail::full only; bkctld's incs have none
  bool locked = false;              ///< ListDetail::full only: a read-only btrfs subvolume
  bool complete = true;             ///< ListDetail::full only: false where its record says partial
  /// It cannot be read: nothing is known of it but its name. It is not complete, and held where
  /// there are holds.
  std::optional<Error> trouble{};
  std::optional<Error> record_trouble{};  ///< its record is damaged, so it is not complete
};

enum class ListDetail {
  names,    ///< names and holds: one read of a directory, what a retention plan needs
  full,     ///< each inc is opened, its identity asked for and its record read
  records,  ///< the same without holds: what an inc can be built on
};

/// The entries of INCDIR/NAME, sorted by name; temporary and trash names of operations under way
/// are left out. A jail without incs has none: no error.
[[nodiscard]] Result<std::vector<IncInfo>> list_incs(const HostSettings& host,
                                                     const std::string& name,
                                                     ListDetail detail = ListDetail::full);

/// One entry of list_incs(), ListDetail::full; an error where there is none.
[[nodiscard]] Result<IncInfo> find_inc(const HostSettings& host, const std::string& name,
                                       const std::string& inc);

/// The directories of INCDIR, sorted: every jail with incs, archived and removed ones included.
[[nodiscard]] Result<std::vector<std::string>> list_inc_owners(const HostSettings& host);

/// A wish to take one jail's inc.
struct IncRequest {
  std::string jail;
  /// Asked right before this jail's inc and again after it, not before, since others may take hours
  /// until then; by any thread. Without it sessions may be open, and the record names none.
  std::function<OpenSessions()> sessions{};
  /// Boots since which the jail was always stopped in good order before the machine went down.
  std::vector<BootId> clean_boots{};
};

struct IncOptions {
  unsigned threads = 0;  ///< of one tree, 0: as many as there are processors
  /// Jails whose lock another operation holds are tried again behind the others, for so long.
  std::chrono::seconds lock_patience{0};
};

enum class IncStatus {
  taken,      ///< `record` tells about it; partial or not
  exists,     ///< an inc of that name is there; nothing was done
  no_policy,  ///< the jail has no incs_policy and so wants no incs
  failed,     ///< `error` tells why; nothing with the inc's name was left
};

struct IncOutcome {
  std::string jail;
  IncStatus status = IncStatus::failed;
  IncRecord record{};
  std::vector<std::string> warnings{};  ///< what is amiss beside this inc, for people
  std::optional<Error> error{};
};

/// What a progress display needs; called from one thread at a time.
struct IncProgress {
  std::string_view jail;               ///< the one that moved
  std::size_t done = 0;                ///< jails finished
  std::size_t total = 0;               ///< jails asked for
  std::uint64_t entries = 0;           ///< of this jail's tree, so far
  std::uint64_t expected_entries = 0;  ///< of this jail's tree, 0 where unknown
  std::uint64_t bytes = 0;             ///< copied of this jail's tree, so far
  bool measuring = false;              ///< nothing is copied yet: the tree is measured
  std::optional<BuildCost> cost{};     ///< once, before a first inc that copies all there is
};
using IncProgressCallback = std::function<void(const IncProgress&)>;

/// Takes the inc `inc_name` of each jail: on btrfs all together, so that they share commits, else
/// one after the other. What one jail runs into does not stop the others. When it returns, every
/// inc that was taken is on the disk.
/// @return an outcome for each request, in their order.
[[nodiscard]] std::vector<IncOutcome> take_incs(const HostSettings& host,
                                                std::span<const IncRequest> requests,
                                                const std::string& inc_name,
                                                const IncOptions& options = {},
                                                const IncProgressCallback& progress = {});

/// Which incs of one directory of INCDIR should go.
struct IncRemoval {
  std::string owner;
  std::vector<std::string> incs;
};

enum class RemovalStatus { removed, held, missing, failed };

struct RemovalOutcome {
  std::string owner;
  std::string inc;
  RemovalStatus status = RemovalStatus::failed;
  std::optional<Error> error;  ///< with `failed`
};

struct RemovalProgress {
  std::string_view owner;
  std::size_t done = 0;                ///< incs gone
  std::size_t total = 0;               ///< incs asked for
  std::size_t at_once = 0;             ///< incs of this owner that go now, behind `done`
  std::uint64_t entries = 0;           ///< of these, gone so far
  std::uint64_t expected_entries = 0;  ///< of these, by their records; 0 where unknown
};
using RemovalProgressCallback = std::function<void(const RemovalProgress&)>;

/// Removes incs, many directories in one go, with one sync at the end. An inc loses its name before
/// it loses its first file, a held one is left alone, and a directory of INCDIR that is left
/// without an entry goes too (so call it with no incs for one that may be empty).
/// @return an outcome for each inc asked for, in their order; behind them, with an empty `inc`,
/// what went wrong besides (a lock is held though no inc of its jail was to go, the sync failed).
[[nodiscard]] std::vector<RemovalOutcome> remove_incs(const HostSettings& host,
                                                      std::span<const IncRemoval> removals,
                                                      const RemovalProgressCallback& progress = {});

}  // namespace evojail
