#include "store/tree_measure.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "store/tree_directory.hpp"
#include "store/tree_meter.hpp"
#include "store/tree_queue.hpp"
#include "store/tree_walk.hpp"

namespace evojail {
namespace {

/// What TreeWalk does with each directory. One object a thread.
class MeasureWalk {
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

  MeasureWalk(const struct statx& volume, TreeMeter& meter, std::atomic<std::uint64_t>& inodes)
      : volume_(volume), meter_(meter), inodes_(inodes) {}

  /// An inode is counted in parts, one for each of its names.
  static constexpr std::uint64_t kParts = 1 << 20;

  static int descriptor(const Place& place) { return place.fd.get(); }
  static bool leave(const Place&) { return true; }
  static void unreadable(const Place&, int) {}

  bool names(const Place& place, const std::vector<DirectoryEntry>& entries) {
    std::uint64_t names = 0;
    std::uint64_t bytes = 0;
    std::uint64_t parts = 0;
    for (const auto& entry : entries) {
      struct statx facts{};
      if (stat_entry(place.fd.get(), entry.name, facts) != 0 || S_ISDIR(facts.stx_mode)) continue;
      ++names;
      bytes += facts.stx_blocks * 512 / std::max(facts.stx_nlink, 1U);
      parts += kParts / std::max(facts.stx_nlink, 1U);
    }
    inodes_.fetch_add(parts, std::memory_order_relaxed);
    meter_.add(names, bytes);
    return true;
  }

  bool enter(const Place& place, const DirectoryEntry& entry, std::optional<Place>& child) {
    child = open(place.fd.get(), entry.name);
    return true;
  }

  std::optional<Place> open(int parent, const char* name) {
    Place place;
    struct statx facts{};
    if (open_subdirectory(parent, name, place.fd) != 0 ||
        stat_entry(place.fd.get(), "", facts) != 0 || !same_volume(facts, volume_)) {
      return std::nullopt;
    }
    meter_.add(1, facts.stx_blocks * 512);
    inodes_.fetch_add(kParts, std::memory_order_relaxed);
    return place;
  }

  static Mark close(Place place) {
    struct statx facts{};
    const bool known = stat_entry(place.fd.get(), "", facts) == 0;
    return {.inode = known ? facts.stx_ino : 0, .resume = place.resume};
  }

  /// Where the way back up is lost a part of the tree is not measured.
  std::optional<Place> reopen(const Place& child, const Mark& mark) {
    Place place;
    struct statx facts{};
    if (open_parent(child.fd.get(), place.fd) != 0 || stat_entry(place.fd.get(), "", facts) != 0 ||
        facts.stx_ino != mark.inode || !same_volume(facts, volume_)) {
      return std::nullopt;
    }
    place.resume = mark.resume;
    place.subdirectories = true;
    return place;
  }

 private:
  const struct statx& volume_;
  TreeMeter& meter_;
  std::atomic<std::uint64_t>& inodes_;
};

}  // namespace

Result<TreeSize> measure_tree(int jail_dir_fd, unsigned threads,
                              const TreeProgressCallback& progress) {
  struct statx volume{};
  if (const int code = stat_entry(jail_dir_fd, "", volume)) {
    return fail_errno("looking at", "the jail's directory", code);
  }
  TreeMeter meter(progress, 0);
  TreeQueue<MeasureWalk::Place> queue(32);
  std::atomic<std::uint64_t> inodes = 0;
  MeasureWalk opener(volume, meter, inodes);
  for (const char* name : {"data", "var"}) {
    auto place = opener.open(jail_dir_fd, name);
    if (place && !queue.try_push(*place)) return fail("measuring a tree: the queue is full");
  }
  run_in_threads(tree_threads(threads), [&volume, &meter, &inodes, &queue] {
    MeasureWalk handler(volume, meter, inodes);
    TreeWalk(handler, queue).run();
  });
  return TreeSize{
      .names = meter.entries(), .inodes = inodes / MeasureWalk::kParts + 1, .bytes = meter.bytes()};
}

}  // namespace evojail
