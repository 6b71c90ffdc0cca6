#include "store/tree_inc_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "store/tree_directory.hpp"
#include "store/tree_manifest_writer.hpp"

namespace evojail {
namespace {

constexpr std::size_t kBuffer = 256 * 1024;

}  // namespace

TreeFileTaker::TreeFileTaker(TreeIncState& state)
    : state_(state), sink_(state.sorter), buffer_(kBuffer) {}

Result<void> TreeFileTaker::take(const TreePlace& place, const char* name) {
  struct statx live{};
  if (const int code = stat_entry(place.live.get(), name, live)) {
    // What vanished, or became a directory, changed the ctime of the directory it was in.
    if (code == ENOENT) return {};
    return state_.trouble(place.copy.get(), name, "looking at it", code, false);
  }
  if (S_ISDIR(live.stx_mode)) return {};
  if (!same_volume(live, state_.volume)) {
    state_.troubles.add(place.copy.get(), name, "another file system is mounted here");
    return {};
  }
  std::optional<TreeRecord> record;
  if (state_.manifest) record = state_.manifest->find(live.stx_ino, cache_);
  if (record && !may_link(*record, live)) record.reset();
  if (live.stx_nlink > 1) return take_group(place, name, live, record);
  if (record) {
    TRY(const bool done, link_recorded(place, name, *record));
    if (done) return {};
  }
  TRY(const auto made, copy_or_compare(place, name));
  return made ? sink_.add(*made) : Result<void>{};
}

/// Rule 5, as far as it can be told from the live side. That all fields are equal covers a clock
/// set back; that ctime is before T covers stores through a mapping made after `syncfs` (rules 4
/// and 6).
bool TreeFileTaker::may_link(const TreeRecord& record, const struct statx& live) const {
  return state_.manifest_proves && record.trusted() && same_live(record, live) &&
         TreeTime(live.stx_ctime) < state_.began.real;
}

/// The rest of rule 5: the link is made, and what it led to is looked at. The base and the copy are
/// the host's own, and what does not fit is unlinked before anybody sees it, so this is as safe as
/// to open and look first, and saves two calls a file. False: not linked, all as before.
Result<bool> TreeFileTaker::link_recorded(const TreePlace& place, const char* name,
                                          const TreeRecord& record) {
  if (!place.base) return false;
  const int copy = place.copy.get();
  if (::linkat(place.base.get(), name, copy, name, 0) != 0) {
    // The name is not in the base, is a directory there, its inode has all the links it can have,
    // is of another project than the directories of incs now (xfs_quota(8), chattr(1)), or lies on
    // a bad block: a copy can do without. What is wrong with the copy's own place it meets, too.
    if (errno != EEXIST) return false;
    CHECK(state_.trouble(copy, name, "linking it", EEXIST, true));
    return true;
  }
  struct statx linked{};
  const int code = stat_entry(copy, name, linked);
  if (code != 0 || !same_inc(record, linked) || state_.claims.claimed(record.inc_inode)) {
    CHECK(remove_copy(place, name));
    return false;
  }
  state_.linked.fetch_add(1, std::memory_order_relaxed);
  TreeRecord kept = record;
  kept.names = 1;
  CHECK(sink_.add(kept));
  return true;
}

/// Rule 7. The first name of a group that comes decides for all: it is linked to the base's inode
/// if that has room for the whole group, or else copied, and the others are linked to what it
/// became, wherever they are. Linked each by itself they might part: xfs keeps the ctime of files
/// that RENAME_EXCHANGE swaps, so one name may be found in the base and another not.
Result<void> TreeFileTaker::take_group(const TreePlace& place, const char* name,
                                       const struct statx& live,
                                       const std::optional<TreeRecord>& record) {
  const int copy = place.copy.get();
  TreeGroups::Turn turn(state_.groups, TreeGroups::key(live));
  const int code = turn.link_to(copy, name);
  if (code == 0) {
    struct statx linked{};
    if (const int failed = stat_entry(copy, name, linked)) {
      return state_.trouble(copy, name, "looking at it", failed, true);
    }
    state_.grouped.fetch_add(1, std::memory_order_relaxed);
    TreeRecord further = record_of(live);
    further.inc_inode = linked.stx_ino;
    further.flags = TreeManifestWriter::kNameOnly;
    return sink_.add(further);
  }
  if (code != ENOENT) return state_.trouble(copy, name, "linking it", code, true);

  const auto publish = [&]() -> Result<void> {
    const int failed = turn.publish(copy, name);
    if (failed == 0) return {};
    return state_.trouble(copy, name, "linking it", failed, true);
  };
  struct statx base{};
  if (record && place.base && stat_entry(place.base.get(), name, base) == 0 &&
      base.stx_nlink + live.stx_nlink + 1 <= kMostLinks) {
    TRY(const bool done, link_recorded(place, name, *record));
    if (done) return publish();
  }
  TRY(const auto made, copy_or_compare(place, name));
  if (!made) return {};
  CHECK(sink_.add(*made));
  // A group that changed since it was looked at is not the one that others wait for.
  return same_live(*made, live) ? publish() : Result<void>{};
}

}  // namespace evojail
