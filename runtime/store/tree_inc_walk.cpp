#include "store/tree_inc_walk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "store/tree_attributes.hpp"

namespace evojail {

bool TreeIncWalk::ended(Error error) {
  state_.fail_with(std::move(error));
  return false;
}

bool TreeIncWalk::names(const TreePlace& place, const std::vector<DirectoryEntry>& entries) {
  for (const auto& entry : entries) {
    if (auto taken = taker_.take(place, entry.name); !taken) {
      return ended(std::move(taken).error());
    }
  }
  state_.meter.add(entries.size(), 0);
  return true;
}

bool TreeIncWalk::enter(const TreePlace& place, const DirectoryEntry& entry,
                        std::optional<TreePlace>& child) {
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
  return place;
}

bool TreeIncWalk::leave(const TreePlace& place) {
  if (auto done = complete(place); !done) return ended(std::move(done).error());
  return true;
}

/// A directory's own metadata, after everything that changes its times (rule 8). Subdirectories
/// that other threads still walk are made already and change nothing in it any more.
Result<void> TreeIncWalk::complete(const TreePlace& place) {
  const int copy = place.copy.get();
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
    CHECK(state_.trouble(copy, "", "setting attribute " + attributes.failed(), code, true));
  }
  if (const int code = set_times(copy, "", now)) {
    CHECK(state_.trouble(copy, "", "setting times", code, true));
  }
  struct statx made{};
  if (const int code = stat_entry(copy, "", made)) {
    return state_.trouble(copy, "", "looking at it", code, true);
  }
  TreeRecord record = record_of(now);
  record.inc_inode = made.stx_ino;
  state_.directories.fetch_add(1, std::memory_order_relaxed);
  state_.meter.add(1, 0);
  return taker_.add_record(record);
}

TreeIncWalk::Mark TreeIncWalk::close(TreePlace place) {
  Mark mark{.live = place.facts.stx_ino,
            .copy = 0,
            .resume = place.resume,
            .changed = TreeTime(place.facts.stx_ctime),
            .had_base = static_cast<bool>(place.base)};
  struct statx copy{};
  if (stat_entry(place.copy.get(), "", copy) == 0) mark.copy = copy.stx_ino;
  return mark;
}

/// By ".." from the child. The live one may have been moved meanwhile, which must not lead the walk
/// anywhere else.
std::optional<TreePlace> TreeIncWalk::reopen(const TreePlace& child, const Mark& mark) {
  TreePlace place;
  const auto lost = [&](int code) -> std::optional<TreePlace> {
    state_.troubles.add(child.copy.get(), "", "the directory above it moved while it was read",
                        code);
    return std::nullopt;
  };
  if (const int code = open_parent(child.live.get(), place.live)) return lost(code);
  if (const int code = stat_entry(place.live.get(), "", place.facts)) return lost(code);
  if (place.facts.stx_ino != mark.live || !same_volume(place.facts, state_.volume)) {
    return lost(ENOENT);
  }
  struct statx copy{};
  if (const int code = open_parent(child.copy.get(), place.copy)) return lost(code);
  if (const int code = stat_entry(place.copy.get(), "", copy)) return lost(code);
  if (copy.stx_ino != mark.copy) return lost(ENOENT);
  // The base matters less: what is linked from it is looked at each time.
  if (mark.had_base && child.base) static_cast<void>(open_parent(child.base.get(), place.base));
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
