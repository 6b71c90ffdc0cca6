#include "store/tree_inc_walk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "store/tree_attributes.hpp"
#include "store/tree_handle.hpp"

namespace evojail {
namespace {

/// 0, which no inode has, where it cannot be told.
std::uint64_t inode_of(const Fd& fd) {
  struct statx facts{};
  return stat_entry(fd.get(), "", facts) == 0 ? facts.stx_ino : 0;
}

}  // namespace

bool TreeIncWalk::ended(Error error) {
  state_.fail_with(std::move(error));
  return false;
}

bool TreeIncWalk::names(const TreePlace& place, const std::vector<DirectoryEntry>& entries) {
  for (const auto& entry : entries) {
    if (state_.failed.load(std::memory_order_relaxed)) return false;
    if (auto taken = taker_.take(place, entry.name); !taken) {
      return ended(std::move(taken).error());
    }
  }
  state_.meter.add(entries.size(), 0);
  state_.early_sync.look(state_.meter.entries());
  return true;
}

bool TreeIncWalk::enter(const TreePlace& place, const DirectoryEntry& entry,
                        std::optional<TreePlace>& child) {
  if (state_.failed.load(std::memory_order_relaxed)) return false;
  auto opened = open(place, entry.name);
  if (!opened) return ended(std::move(opened).error());
  child = std::move(*opened);
  return true;
}

Result<std::optional<TreePlace>> TreeIncWalk::open(const TreePlace& parent, const char* name) {
  const int copy = parent.copy.get();
  TreePlace place;
  if (const int code = open_subdirectory(parent.live.get(), name, place.live)) {
    // Not a directory (any more), or gone: that changed the ctime of the one it was in.
    if (code == ENOENT || code == ENOTDIR || code == ELOOP) return std::nullopt;
    CHECK(state_.trouble(copy, name, "opening it", code, false));
    return std::nullopt;
  }
  if (const int code = stat_entry(place.live.get(), "", place.facts)) {
    CHECK(state_.trouble(copy, name, "looking at it", code, false));
    return std::nullopt;
  }
  if (!same_volume(place.facts, state_.volume)) {
    state_.troubles.add(copy, name, "another file system is mounted here");
    return std::nullopt;
  }
  CHECK(state_.budget.spend(4096));
  // Directories are always new (rule 8); 0700 until their own metadata comes, after their entries.
  if (::mkdirat(copy, name, 0700) != 0) {
    CHECK(state_.trouble(copy, name, "creating it", errno, true));
    return std::nullopt;
  }
  if (const int code = open_subdirectory(copy, name, place.copy)) {
    return fail_errno("opening", state_.troubles.path(copy, name), code);
  }
  if (parent.base) static_cast<void>(open_subdirectory(parent.base.get(), name, place.base));
  find_moved_base(place);
  return place;
}

/// The directory's counterpart in the base is looked for by name first, then, where the client
/// moved it, by what the manifest says of its inode. It only says where to look: what is linked
/// from it is looked at each time.
void TreeIncWalk::find_moved_base(TreePlace& place) {
  if (!state_.manifest) return;
  const auto record = state_.manifest->find(place.facts.stx_ino, cache_);
  if (!record || !S_ISDIR(record->mode) || record->born != record_of(place.facts).born) return;
  if (place.base && inode_of(place.base) == record->inc_inode) return;
  static_cast<void>(open_directory_below(state_.request.base->inc_dir_fd, record->inc_inode,
                                         record->generation, place.base));
}

bool TreeIncWalk::leave(const TreePlace& place) {
  if (auto done = complete(place); !done) return ended(std::move(done).error());
  return true;
}

/// A directory's own metadata, after everything that changes its times (rule 8). Subdirectories
/// that other threads still walk are made already and change nothing in it any more.
Result<void> TreeIncWalk::complete(const TreePlace& place) {
  const int copy = place.copy.get();
  if (!place.live) return record(place, place.facts);
  struct statx now{};
  if (const int code = stat_entry(place.live.get(), "", now)) {
    return state_.trouble(copy, "", "looking at it", code, false);
  }
  // Names that came or went while they were read may be missing or double: rule 10.
  if (TreeTime(now.stx_ctime) != TreeTime(place.facts.stx_ctime)) {
    state_.troubles.add(copy, "", "it changed while it was read");
  }
  ExtendedAttributes attributes;
  if (const int code = attributes.read(proc_path(place.live.get()))) {
    CHECK(state_.trouble(copy, "", "reading attribute " + attributes.failed(), code, false));
  }
  if (const int code = set_owner_and_mode(copy, "", now)) {
    CHECK(state_.trouble(copy, "", "setting owner and mode", code, true));
  }
  if (const int code = attributes.empty() ? 0 : attributes.write(proc_path(copy))) {
    CHECK(state_.attribute_trouble(copy, "", attributes.failed(), code));
  }
  if (const int code = set_times(copy, "", now)) {
    CHECK(state_.trouble(copy, "", "setting times", code, true));
  }
  return record(place, now);
}

/// The copy as it came out, under the live directory's number and birth.
Result<void> TreeIncWalk::record(const TreePlace& place, const struct statx& live) {
  struct statx made{};
  if (const int code = stat_entry(place.copy.get(), "", made)) {
    return state_.trouble(place.copy.get(), "", "looking at it", code, true);
  }
  TreeRecord record = record_of(made);
  record.live_inode = live.stx_ino;
  record.inc_inode = made.stx_ino;
  record.born = record_of(live).born;
  static_cast<void>(inode_generation(place.copy.get(), record.generation));
  state_.directories.fetch_add(1, std::memory_order_relaxed);
  state_.meter.add(1, 0);
  return taker_.add_record(record);
}

TreeIncWalk::Mark TreeIncWalk::close(TreePlace place) {
  return {.live = place.facts.stx_ino,
          .copy = inode_of(place.copy),
          .base = place.base ? inode_of(place.base) : 0,
          .resume = place.resume,
          .changed = TreeTime(place.facts.stx_ctime)};
}

/// By ".." from the child. The live one may have been moved meanwhile, which must not lead the walk
/// anywhere else: then there is no way back to the names that were left, and the copy stays without
/// them.
std::optional<TreePlace> TreeIncWalk::reopen(const TreePlace& child, const Mark& mark) {
  TreePlace place;
  if (open_parent(child.copy.get(), place.copy) != 0 || inode_of(place.copy) != mark.copy) {
    state_.fail_with(Error("taking an inc: a directory of the copy was moved"));
    return std::nullopt;
  }
  const bool back = child.live && open_parent(child.live.get(), place.live) == 0 &&
                    stat_entry(place.live.get(), "", place.facts) == 0 &&
                    place.facts.stx_ino == mark.live && same_volume(place.facts, state_.volume);
  if (!back) {
    if (child.live) {
      state_.troubles.add(child.copy.get(), "", "it was moved while the directory above was read");
    }
    place.live.reset();
    place.facts = {};
    place.facts.stx_ino = mark.live;
    return place;
  }
  if (mark.base != 0) {
    if (child.base) static_cast<void>(open_parent(child.base.get(), place.base));
    if (place.base && inode_of(place.base) != mark.base) place.base.reset();
    if (!place.base) find_moved_base(place);
  }
  place.resume = mark.resume;
  place.subdirectories = true;
  place.facts.stx_ctime.tv_sec = mark.changed.seconds;
  place.facts.stx_ctime.tv_nsec = mark.changed.nanoseconds;
  return place;
}

void TreeIncWalk::unreadable(const TreePlace& place, int code) {
  state_.troubles.add(place.copy.get(), "", "reading its names", code);
}

}  // namespace evojail
