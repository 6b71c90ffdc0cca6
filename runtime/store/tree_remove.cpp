#include "store/tree_remove.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "base/fd.hpp"
#include "store/tree_directory.hpp"
#include "store/tree_meter.hpp"
#include "store/tree_queue.hpp"

namespace evojail {
namespace {

/// Directories that may be open at once, in all threads: each of them, and each one in the queue,
/// keeps its ancestors open.
constexpr unsigned kMostOpen = 384;

/// A directory on its way out: its entries first, and when the last one of its subdirectories is
/// gone, whichever thread that was, it goes itself.
struct Doomed {
  Doomed* parent = nullptr;
  Fd fd;
  std::string name;
  unsigned depth = 0;
  DirectoryPosition resume;          // where the search for subdirectories goes on
  std::atomic<unsigned> holders{1};  // its own walk, and each subdirectory
};

/// One pass over a tree. What it had no room for is left to the next one.
class Removal {
 public:
  Removal(int top, const struct statx& volume, unsigned threads, TreeMeter& meter,
          TreeTroubles& troubles)
      : volume_(volume),
        threads_(threads),
        deepest_(std::max(kMostOpen / (2 * threads), 2U)),
        meter_(meter),
        troubles_(troubles),
        queue_(threads) {
    top_.fd.reset(top);
  }
  ~Removal() { static_cast<void>(top_.fd.release()); }
  Removal(const Removal&) = delete;
  Removal& operator=(const Removal&) = delete;

  void run() {
    Doomed* top = &top_;
    if (!queue_.try_push(top)) return;
    run_in_threads(threads_, [this] {
      Worker worker(*this);
      while (const auto next = queue_.pop()) {
        worker.clear_out(*next);
        queue_.finished();
      }
    });
  }

  /// Something was removed or moved to the top, so another pass may get further.
  [[nodiscard]] bool progress() const { return progress_; }

 private:
  struct Worker {
    explicit Worker(Removal& whole) : all(whole) {}

    void clear_out(Doomed* first);
    void remove_names(Doomed& dir);
    Doomed* next_subdirectory(Doomed& dir);
    Doomed* enter(Doomed& dir, const char* name);

    Removal& all;
    DirectoryReader reader;
    std::vector<DirectoryEntry> entries;
    bool ahead = false;  // entries from `at` on are the next ones of the directory at hand
    std::size_t at = 0;
    std::size_t size = 0;
  };

  void take_up(Doomed& dir, const char* name);
  void release(Doomed* dir);
  void trouble(int dir, const char* name, std::string_view what, int code);
  void count(std::uint64_t names) {
    progress_ = true;
    meter_.add(names, 0);
  }

  Doomed top_;
  const struct statx volume_;
  const unsigned threads_;
  const unsigned deepest_;  // levels that are removed in place
  TreeMeter& meter_;
  TreeTroubles& troubles_;
  TreeQueue<Doomed*> queue_;
  std::atomic<bool> progress_ = false;
  std::atomic<std::uint64_t> taken_up_ = 0;
};

/// Depth first from `first` downwards, handing subdirectories to idle threads on the way.
void Removal::Worker::clear_out(Doomed* first) {
  std::vector<Doomed*> stack{first};
  remove_names(*first);
  while (!stack.empty()) {
    Doomed& dir = *stack.back();
    Doomed* child = next_subdirectory(dir);
    if (child == nullptr) {
      stack.pop_back();
      ahead = false;
      all.release(&dir);
    } else if (!all.queue_.try_push(child)) {
      remove_names(*child);
      stack.push_back(child);
    }
  }
}

/// All that is no directory. Inode order spares the disk: names come in the order of their hashes.
void Removal::Worker::remove_names(Doomed& dir) {
  ahead = false;
  for (;;) {
    if (const int code = reader.read(dir.fd.get(), DirectoryReader::kLargest, entries)) {
      all.trouble(dir.fd.get(), "", "reading", code);
      return;
    }
    if (entries.empty()) return;
    sort_by_inode(entries);
    std::uint64_t gone = 0;
    for (const auto& entry : entries) {
      if (entry.type == DT_DIR) continue;
      if (::unlinkat(dir.fd.get(), entry.name, 0) == 0) {
        ++gone;
      } else if (errno != EISDIR && errno != ENOENT) {  // EISDIR: the type was not told
        all.trouble(dir.fd.get(), entry.name, "removing", errno);
      }
    }
    if (gone != 0) all.count(gone);
  }
}

/// The next subdirectory to go into, or nullptr when there is none left. By now little else is in
/// the directory. What is behind the entry is read again after a descent, so the reads begin small.
Doomed* Removal::Worker::next_subdirectory(Doomed& dir) {
  if (!ahead) {
    if (::lseek(dir.fd.get(), dir.resume.next(), SEEK_SET) < 0) {
      all.trouble(dir.fd.get(), "", "reading", errno);
      return nullptr;
    }
    dir.resume.sought();
    entries.clear();
    at = 0;
    size = 2048;
    ahead = true;
  }
  for (;;) {
    while (at < entries.size()) {
      const DirectoryEntry& entry = entries[at++];
      if (dir.resume.repeats(entry)) continue;
      if (entry.type != DT_DIR && entry.type != DT_UNKNOWN) continue;
      dir.resume.enter(entry);
      if (Doomed* child = enter(dir, entry.name)) return child;
    }
    if (const int code = reader.read(dir.fd.get(), size, entries)) {
      all.trouble(dir.fd.get(), "", "reading", code);
      return nullptr;
    }
    if (entries.empty()) return nullptr;
    at = 0;
    size = std::min(size * 2, DirectoryReader::kLargest);
  }
}

Doomed* Removal::Worker::enter(Doomed& dir, const char* name) {
  Fd fd;
  if (const int code = open_subdirectory(dir.fd.get(), name, fd)) {
    if (code != ENOTDIR && code != ENOENT) all.trouble(dir.fd.get(), name, "opening", code);
    return nullptr;
  }
  struct statx facts{};
  if (const int code = stat_entry(fd.get(), "", facts)) {
    all.trouble(dir.fd.get(), name, "looking at", code);
    return nullptr;
  }
  if (!same_volume(facts, all.volume_)) {
    all.troubles_.add(dir.fd.get(), name, "another file system is mounted here");
    return nullptr;
  }
  if (dir.depth >= all.deepest_) {
    all.take_up(dir, name);
    return nullptr;
  }
  dir.holders.fetch_add(1, std::memory_order_relaxed);
  auto* child = new Doomed;
  child->parent = &dir;
  child->fd = std::move(fd);
  child->name = name;
  child->depth = dir.depth + 1;
  return child;
}

/// Moves a subdirectory that is too far down to the top of the tree, where the next pass finds it:
/// depth costs neither descriptors nor memory.
void Removal::take_up(Doomed& dir, const char* name) {
  for (;;) {
    const std::string up = fmt::format(".up-{}-{}", ::getpid(), taken_up_++);
    if (::renameat2(dir.fd.get(), name, top_.fd.get(), up.c_str(), RENAME_NOREPLACE) == 0) {
      progress_ = true;
      return;
    }
    if (errno == EEXIST) continue;
    return trouble(dir.fd.get(), name, "moving", errno);
  }
}

void Removal::release(Doomed* dir) {
  while (dir != nullptr && dir->holders.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    Doomed* parent = dir->parent;
    if (parent == nullptr) return;
    dir->fd.reset();
    if (::unlinkat(parent->fd.get(), dir->name.c_str(), AT_REMOVEDIR) == 0) {
      count(1);
    } else if (errno != ENOTEMPTY && errno != ENOENT) {  // ENOTEMPTY: what is inside was listed
      trouble(parent->fd.get(), dir->name.c_str(), "removing", errno);
    }
    delete dir;
    dir = parent;
  }
}

void Removal::trouble(int dir, const char* name, std::string_view what, int code) {
  struct statx facts{};
  constexpr std::uint64_t locked = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND;
  const bool is_locked =
      code == EPERM &&
      ((stat_entry(dir, name, facts) == 0 && (facts.stx_attributes & locked) != 0) ||
       (stat_entry(dir, "", facts) == 0 && (facts.stx_attributes & locked) != 0));
  if (is_locked) {
    troubles_.add(dir, name,
                  fmt::format("{}: it, or its directory, is immutable (chattr +i)", what));
  } else {
    troubles_.add(dir, name, what, code);
  }
}

}  // namespace

Result<RemoveOutcome> remove_tree(int parent_fd, const std::string& name, unsigned threads,
                                  const TreeProgressCallback& progress) {
  RemoveOutcome outcome;
  struct statx volume{};
  struct statx facts{};
  if (const int code = stat_entry(parent_fd, "", volume)) {
    return fail_errno("looking at the directory of", name, code);
  }
  if (const int code = stat_entry(parent_fd, name.c_str(), facts)) {
    return fail_errno("looking at", name, code);
  }
  if (!S_ISDIR(facts.stx_mode)) {
    if (::unlinkat(parent_fd, name.c_str(), 0) != 0) return fail_errno("removing", name);
    return RemoveOutcome{.removed = 1, .complete = true, .trouble_count = 0, .troubles = {}};
  }
  Fd top;
  if (const int code = open_subdirectory(parent_fd, name.c_str(), top)) {
    return fail_errno("opening", name, code);
  }
  if (const int code = stat_entry(top.get(), "", facts))
    return fail_errno("looking at", name, code);
  if (!same_volume(facts, volume)) {
    return fail(fmt::format("removing '{}': another file system is mounted there", name));
  }

  TreeMeter meter(progress, 0);
  TreeTroubles troubles;
  troubles.set_root(parent_fd);
  for (;;) {
    troubles.clear();
    if (::lseek(top.get(), 0, SEEK_SET) < 0) return fail_errno("reading", name);
    Removal pass(top.get(), volume, tree_threads(threads), meter, troubles);
    pass.run();
    if (::unlinkat(parent_fd, name.c_str(), AT_REMOVEDIR) == 0) {
      meter.add(1, 0);
      outcome.complete = true;
      break;
    }
    const int code = errno;
    if (pass.progress() && code == ENOTEMPTY) continue;
    if (troubles.count() == 0) troubles.add(top.get(), "", "removing", code);
    break;
  }
  outcome.removed = meter.entries();
  outcome.trouble_count = troubles.count();
  outcome.troubles = troubles.list();
  return outcome;
}

}  // namespace evojail
