#include "store/tree_measure.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
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

/// The inodes with several names that were met, as bits: how many of the names lie in the tree and
/// how many elsewhere, in incs of bkctld's say, cannot be told from their count. Beyond the number
/// of bits, which few volumes have inodes for, two share one and the second is missed.
class MetInodes {
 public:
  /// @return whether it is met for the first time.
  bool add(std::uint64_t inode) {
    // Few trees have any.
    std::call_once(made_, [this] { words_ = std::make_unique<Word[]>(kBits / 64); });
    const std::uint64_t bit = inode % kBits;
    const std::uint64_t mask = std::uint64_t{1} << (bit % 64);
    return (words_[bit / 64].fetch_or(mask, std::memory_order_relaxed) & mask) == 0;
  }

 private:
  using Word = std::atomic<std::uint64_t>;
  static constexpr std::uint64_t kBits = std::uint64_t{1} << 27;  // 16 MiB

  std::once_flag made_;
  std::unique_ptr<Word[]> words_;
};

/// What all threads share.
struct Measure {
  struct statx volume{};
  TreeMeter meter;
  MetInodes met{};
  std::atomic<std::uint64_t> inodes = 0;
};

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

  explicit MeasureWalk(Measure& all) : all_(all) {}

  static int descriptor(const Place& place) { return place.fd.get(); }
  static bool leave(const Place&) { return true; }
  static void unreadable(const Place&, int) {}

  bool names(const Place& place, const std::vector<DirectoryEntry>& entries) {
    std::uint64_t names = 0;
    std::uint64_t bytes = 0;
    std::uint64_t inodes = 0;
    for (const auto& entry : entries) {
      struct statx facts{};
      if (stat_entry(place.fd.get(), entry.name, facts) != 0 || S_ISDIR(facts.stx_mode)) continue;
      ++names;
      if (facts.stx_nlink > 1 && !all_.met.add(facts.stx_ino)) continue;
      bytes += facts.stx_blocks * 512;
      ++inodes;
    }
    all_.inodes.fetch_add(inodes, std::memory_order_relaxed);
    all_.meter.add(names, bytes);
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
        stat_entry(place.fd.get(), "", facts) != 0 || !same_volume(facts, all_.volume)) {
      return std::nullopt;
    }
    all_.meter.add(1, facts.stx_blocks * 512);
    all_.inodes.fetch_add(1, std::memory_order_relaxed);
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
        facts.stx_ino != mark.inode || !same_volume(facts, all_.volume)) {
      return std::nullopt;
    }
    place.resume = mark.resume;
    place.subdirectories = true;
    return place;
  }

 private:
  Measure& all_;
};

}  // namespace

Result<TreeSize> measure_tree(int jail_dir_fd, unsigned threads,
                              const TreeProgressCallback& progress) {
  Measure all{.meter = TreeMeter(progress, 0)};
  if (const int code = stat_entry(jail_dir_fd, "", all.volume)) {
    return fail_errno("looking at", "the jail's directory", code);
  }
  TreeQueue<MeasureWalk::Place> queue(32);
  MeasureWalk opener(all);
  for (const char* name : {"data", "var"}) {
    auto place = opener.open(jail_dir_fd, name);
    if (place && !queue.try_push(*place)) return fail("measuring a tree: the queue is full");
  }
  run_in_threads(tree_threads(threads), [&all, &queue] {
    MeasureWalk handler(all);
    TreeWalk(handler, queue).run();
  });
  return TreeSize{
      .names = all.meter.entries(), .inodes = all.inodes + 1, .bytes = all.meter.bytes()};
}

}  // namespace evojail
