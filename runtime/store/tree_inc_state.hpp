#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "store/tree_budget.hpp"
#include "store/tree_claims.hpp"
#include "store/tree_clock.hpp"
#include "store/tree_directory.hpp"
#include "store/tree_early_sync.hpp"
#include "store/tree_groups.hpp"
#include "store/tree_inc.hpp"
#include "store/tree_manifest.hpp"
#include "store/tree_meter.hpp"
#include "store/tree_queue.hpp"
#include "store/tree_sorter.hpp"

namespace evojail {

/// One directory in its three trees. `base` is closed where the base has no counterpart.
struct TreePlace {
  Fd live;
  Fd base;
  Fd copy;
  struct statx facts{};  ///< of the live one, before its names were read
  DirectoryPosition resume;
  bool subdirectories = false;
};

/// What the threads that take one inc share.
struct TreeIncState {
  /// `names`: how many there will be, 0 where only the base's manifest can tell.
  TreeIncState(const TreeIncRequest& wanted, std::optional<TreeManifest> base, TreeGroups group_map,
               std::uint64_t names)
      : request(wanted),
        began(TreeMoment::now()),
        manifest(std::move(base)),
        groups(std::move(group_map)),
        claims(groups.directory(), manifest ? std::optional(began.real) : std::nullopt),
        early_sync(groups.directory(), manifest ? manifest->header().names : names),
        budget(wanted.space_guard),
        meter(wanted.progress, manifest ? manifest->header().names : names),
        sorter(TreeSorter::Order::live, wanted.manifest_dir_fd, tree_threads(wanted.threads) + 1),
        queue(32) {}

  const TreeIncRequest& request;
  struct statx volume{};    ///< of the jail's directory: all that is taken lies in its file system
  const TreeMoment began;   ///< T (rule 2): the state is made right before `syncfs`
  TreeTime trusted_before;  ///< rule 4: stamps at or after it prove nothing
  const std::optional<TreeManifest> manifest;  ///< the base's
  bool manifest_proves = false;                ///< rule 6; otherwise all is compared

  TreeGroups groups;
  TreeClaims claims;
  TreeEarlySync early_sync;
  TreeBudget budget;
  TreeMeter meter;
  TreeTroubles troubles;
  TreeSorter sorter;
  TreeQueue<TreePlace> queue;

  std::atomic<std::uint64_t> directories = 0;
  std::atomic<std::uint64_t> linked = 0;
  std::atomic<std::uint64_t> copied = 0;
  std::atomic<std::uint64_t> grouped = 0;
  std::atomic<std::uint64_t> compared = 0;
  std::atomic<std::uint64_t> bytes_copied = 0;
  std::atomic<std::uint64_t> bytes_compared = 0;

  /// The first error that ends the inc stands.
  void fail_with(Error error) {
    const std::lock_guard lock(mutex);
    if (!failure) failure = std::move(error);
    failed.store(true, std::memory_order_relaxed);
  }

  /// An error on `name` in `dir`: listed (rule 10), or, where nothing more can be written or
  /// opened, the end of the inc.
  [[nodiscard]] Result<void> trouble(int dir, const char* name, std::string_view what, int code,
                                     bool writing);
  /// The same of an attribute that cannot be set. ENOSPC is the inode's own here: ext4 has a block
  /// for what does not fit into it. Of a full volume the next file tells.
  [[nodiscard]] Result<void> attribute_trouble(int dir, const char* name,
                                               const std::string& attribute, int code);

  std::mutex mutex;
  std::optional<Error> failure;
  std::atomic<bool> failed = false;
};

}  // namespace evojail
