#include "store/tree_verify.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "base/amount.hpp"
#include "base/directory.hpp"
#include "base/fd.hpp"
#include "store/tree_attributes.hpp"
#include "store/tree_copy.hpp"
#include "store/tree_digest.hpp"
#include "store/tree_directory.hpp"
#include "store/tree_extents.hpp"
#include "store/tree_manifest.hpp"
#include "store/tree_manifest_writer.hpp"
#include "store/tree_meter.hpp"
#include "store/tree_queue.hpp"
#include "store/tree_walk.hpp"

namespace evojail {
namespace {

/// A manifest in the order of the inc's inodes, in an unnamed file: a record of it is found by the
/// number that a name in the inc has.
struct ByIncInode {
  Fd file;
  TreeManifest manifest;
};

/// The inc's own volume has room for it as a rule; one that is full or read-only has not.
int spill_directory(int inc, Fd& other) {
  const Fd probe(::openat(inc, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (probe) return inc;
  other = Fd(::open("/var/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return other.get();
}

Result<ByIncInode> turn_over(const TreeManifest& manifest, int dir) {
  TreeSorter sorter(TreeSorter::Order::live, dir, 1);
  TreeSorter::Sink sink(sorter);
  std::vector<TreeRecord> records;
  for (std::uint64_t block = 0; block < manifest.blocks(); ++block) {
    CHECK(manifest.read_block(block, records));
    for (auto& record : records) {
      std::swap(record.live_inode, record.inc_inode);
      CHECK(sink.add(record));
    }
  }
  sink.finish();
  TRY(ByIncInode turned, [&]() -> Result<ByIncInode> {
    ByIncInode made;
    TRY(made.file, open_unnamed(dir, ".meta/manifests"));
    TRY(auto writer, TreeManifestWriter::onto(made.file.get()));
    CHECK(writer.finish(sorter, manifest.header()));
    TRY(made.manifest, TreeManifest::open(made.file.get()));
    return made;
  }());
  return turned;
}

/// What the threads that verify one inc share.
struct VerifyState {
  VerifyState(const VerifyOptions& wanted, ByIncInode turned)
      : options(wanted),
        records(std::move(turned)),
        seen(std::make_unique<std::atomic<std::uint32_t>[]>(records.manifest.header().records)),
        meter(wanted.progress, records.manifest.header().names) {}

  const VerifyOptions& options;
  ByIncInode records;
  /// How many names of each record were met: on xfs an inode may have two thousand million.
  std::unique_ptr<std::atomic<std::uint32_t>[]> seen;
  struct statx volume{};
  TreeMeter meter;
  TreeTroubles troubles;
  std::atomic<std::uint64_t> names = 0;
  std::atomic<std::uint64_t> digests = 0;
  std::atomic<std::uint64_t> without_digest = 0;
};

/// What TreeWalk does with each directory of the inc. One object a thread.
class VerifyWalk {
 public:
  struct Place {
    Fd fd;
    DirectoryPosition resume;
    bool subdirectories = false;
  };
  struct Mark {
    std::uint64_t inode = 0;
    DirectoryPosition resume;
  };

  explicit VerifyWalk(VerifyState& state) : state_(state), buffer_(256 * 1024) {}

  static int descriptor(const Place& place) { return place.fd.get(); }
  bool names(const Place& place, const std::vector<DirectoryEntry>& entries);
  bool enter(const Place& place, const DirectoryEntry& entry, std::optional<Place>& child);
  static bool leave(const Place&) { return true; }
  static Mark close(Place place);
  std::optional<Place> reopen(const Place& child, const Mark& mark);
  void unreadable(const Place& place, int code) {
    state_.troubles.add(place.fd.get(), "", "reading its names", code);
  }

 private:
  void look(int dir, const char* name, const struct statx& facts);
  void read(int dir, const char* name, const TreeRecord& record);

  VerifyState& state_;
  TreeManifest::Cache cache_;
  std::vector<std::byte> buffer_;
};

std::string difference(const TreeRecord& record, const struct statx& facts) {
  const auto differs = [](std::string_view what, auto recorded, auto found) {
    return fmt::format("{} is {}, it was taken with {}", what, found, recorded);
  };
  if (record.mode != facts.stx_mode) {
    return fmt::format("mode is {:o}, it was taken with {:o}", facts.stx_mode, record.mode);
  }
  if (record.uid != facts.stx_uid) return differs("owner", record.uid, facts.stx_uid);
  if (record.gid != facts.stx_gid) return differs("group", record.gid, facts.stx_gid);
  if (!S_ISDIR(record.mode) && record.size != facts.stx_size) {
    return differs("size", record.size, facts.stx_size);
  }
  if (record.modified != TreeTime(facts.stx_mtime)) return "its modification time was changed";
  return "its device number was changed";
}

void VerifyWalk::look(int dir, const char* name, const struct statx& facts) {
  state_.names.fetch_add(1, std::memory_order_relaxed);
  state_.meter.add(1, 0);
  std::uint64_t place = 0;
  auto record = state_.records.manifest.find(facts.stx_ino, cache_, &place);
  if (!record) {
    state_.troubles.add(dir, name, "it was not there when the inc was taken");
    return;
  }
  state_.seen[place].fetch_add(1, std::memory_order_relaxed);
  std::swap(record->live_inode, record->inc_inode);
  if (!same_inc(*record, facts)) {
    state_.troubles.add(dir, name, difference(*record, facts));
    return;
  }
  if (!S_ISREG(facts.stx_mode)) return;
  const bool has_digest = (record->flags & TreeRecord::kDigest) != 0;
  if (!has_digest) state_.without_digest.fetch_add(1, std::memory_order_relaxed);
  if (state_.options.contents && has_digest) read(dir, name, *record);
}

void VerifyWalk::read(int dir, const char* name, const TreeRecord& record) {
  auto file = open_beneath(dir, name, O_RDONLY);
  if (!file) return state_.troubles.add(dir, name, "opening it", file.error().code());
  struct statx facts{};
  if (const int code = stat_entry(file->get(), "", facts)) {
    return state_.troubles.add(dir, name, "looking at it", code);
  }
  const DataExtents extents(file->get(), facts);
  ContentsDigest digest;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  for (std::uint64_t at = 0; extents.next(at, begin, end); at = end) {
    while (begin < end) {
      auto part = std::span(buffer_);
      part = part.first(std::min<std::uint64_t>(part.size(), end - begin));
      std::size_t got = 0;
      if (const int code = read_part(file->get(), part, begin, got)) {
        return state_.troubles.add(dir, name, "reading it", code);
      }
      if (got == 0) break;
      digest.add(begin, part.first(got));
      state_.meter.add(0, got);
      begin += got;
    }
  }
  state_.digests.fetch_add(1, std::memory_order_relaxed);
  if (digest.value() != record.digest) {
    state_.troubles.add(dir, name, "its contents are not those that were taken");
  }
}

bool VerifyWalk::names(const Place& place, const std::vector<DirectoryEntry>& entries) {
  const int dir = place.fd.get();
  for (const auto& entry : entries) {
    struct statx facts{};
    if (const int code = stat_entry(dir, entry.name, facts)) {
      state_.troubles.add(dir, entry.name, "looking at it", code);
    } else if (!S_ISDIR(facts.stx_mode)) {
      look(dir, entry.name, facts);
    }
  }
  return true;
}

bool VerifyWalk::enter(const Place& place, const DirectoryEntry& entry,
                       std::optional<Place>& child) {
  const int dir = place.fd.get();
  Place opened;
  if (const int code = open_subdirectory(dir, entry.name, opened.fd)) {
    if (code != ENOTDIR && code != ELOOP) state_.troubles.add(dir, entry.name, "opening it", code);
    return true;
  }
  struct statx facts{};
  if (const int code = stat_entry(opened.fd.get(), "", facts)) {
    state_.troubles.add(dir, entry.name, "looking at it", code);
    return true;
  }
  if (!same_volume(facts, state_.volume)) {
    state_.troubles.add(dir, entry.name, "another file system is mounted here");
    return true;
  }
  look(dir, entry.name, facts);
  child = std::move(opened);
  return true;
}

VerifyWalk::Mark VerifyWalk::close(Place place) {
  struct statx facts{};
  const bool known = stat_entry(place.fd.get(), "", facts) == 0;
  return {.inode = known ? facts.stx_ino : 0, .resume = place.resume};
}

std::optional<VerifyWalk::Place> VerifyWalk::reopen(const Place& child, const Mark& mark) {
  Place place;
  struct statx facts{};
  int code = open_parent(child.fd.get(), place.fd);
  if (code == 0) code = stat_entry(place.fd.get(), "", facts);
  if (code == 0 && (facts.stx_ino != mark.inode || !same_volume(facts, state_.volume)))
    code = ENOENT;
  if (code != 0) {
    state_.troubles.add(child.fd.get(), "", "the directory above it moved while it was read", code);
    return std::nullopt;
  }
  place.resume = mark.resume;
  place.subdirectories = true;
  return place;
}

std::string describe_difference(const TreeRecord& record, std::uint64_t seen) {
  const std::string which = fmt::format(
      "the {} of inode {}", S_ISDIR(record.mode) ? "directory" : "file", record.live_inode);
  if (seen == 0) return which + " is missing";
  if (seen > record.names) {
    return fmt::format("{} has {} too many", which, count_of(seen - record.names, "name"));
  }
  return fmt::format("{} has lost {} of its {} names", which, record.names - seen, record.names);
}

/// Records whose inodes have fewer or more names now.
Result<void> count_missing(VerifyState& state, int inc) {
  const TreeManifest& manifest = state.records.manifest;
  std::vector<TreeRecord> records;
  std::uint64_t place = 0;
  for (std::uint64_t block = 0; block < manifest.blocks(); ++block) {
    CHECK(manifest.read_block(block, records));
    for (const auto& record : records) {
      const std::uint64_t seen = state.seen[place++].load(std::memory_order_relaxed);
      if (seen == record.names) continue;
      state.troubles.add(inc, "", describe_difference(record, seen));
    }
  }
  return {};
}

}  // namespace

Result<VerifyOutcome> verify_tree_inc(int inc_dir_fd, int manifest_fd,
                                      const VerifyOptions& options) {
  TRY(const TreeManifest manifest, TreeManifest::open(manifest_fd));
  struct statx root{};
  if (const int code = stat_entry(inc_dir_fd, "", root)) {
    return fail_errno("looking at", "the inc", code);
  }
  const TreeRecord identity = record_of(root);
  if (manifest.header().inc_inode != identity.live_inode ||
      manifest.header().inc_born != identity.born) {
    return fail("verifying an inc: its manifest is that of another one");
  }
  Fd other;
  TRY(ByIncInode turned, turn_over(manifest, spill_directory(inc_dir_fd, other)));
  VerifyState state(options, std::move(turned));
  state.volume = root;
  state.troubles.set_root(inc_dir_fd);

  TreeQueue<VerifyWalk::Place> queue(32);
  VerifyWalk::Place top;
  // Not a duplicate: that would share the reading position with the caller's.
  TRY(top.fd, open_at(inc_dir_fd, ".", O_RDONLY | O_DIRECTORY));
  if (!queue.try_push(top)) return fail("verifying an inc: the queue is full");
  run_in_threads(tree_threads(options.threads), [&state, &queue] {
    VerifyWalk handler(state);
    TreeWalk(handler, queue).run();
  });
  CHECK(count_missing(state, inc_dir_fd));
  return VerifyOutcome{.names = state.names,
                       .digests = state.digests,
                       .without_digest = state.without_digest,
                       .trouble_count = state.troubles.count(),
                       .troubles = state.troubles.list()};
}

}  // namespace evojail
