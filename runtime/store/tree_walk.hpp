#pragma once

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "store/tree_directory.hpp"
#include "store/tree_queue.hpp"

namespace evojail {

/// One thread's walk over parts of a tree, top down: all names of a directory that are no
/// directories, then each subdirectory, which goes to the queue where that has room and is walked
/// here otherwise. Descriptors and memory stay bounded at any depth and width: the walk keeps the
/// directories of its first levels open, and of deeper ones a mark of some dozens of bytes, from
/// which the way back up is found by "..".
///
/// The Handler says what is done. It has
///   Place                  an open directory; `resume` (a DirectoryPosition) and
///                          `subdirectories` belong to the walk
///   Mark                   what is kept of a closed one
///   int descriptor(Place&)                         to read names from
///   bool names(Place&, entries)                    handles what is no directory; false: stop
///   bool enter(Place&, const DirectoryEntry&, std::optional<Place>&)   opens a subdirectory, or
///   not bool leave(Place&)                             all its entries have been handled Mark
///   close(Place) std::optional<Place> reopen(Place& child, Mark)   nothing: the way back is lost
///   void unreadable(Place&, int code)              its names cannot be read
template <class Handler>
class TreeWalk {
 public:
  using Place = typename Handler::Place;
  using Mark = typename Handler::Mark;

  TreeWalk(Handler& handler, TreeQueue<Place>& queue) : handler_(handler), queue_(queue) {}

  /// Works until all is done or somebody stopped the queue.
  void run() {
    while (auto place = queue_.pop()) {
      const bool go_on = descend(std::move(*place));
      if (!go_on) queue_.stop();
      queue_.finished();
    }
  }

 private:
  static constexpr std::size_t kOpenLevels = 16;

  bool descend(Place here) {
    if (!names(here)) return false;
    std::vector<Place> open;
    std::deque<Mark> closed;
    for (;;) {
      std::optional<Place> child;
      if (!next(here, child)) return false;
      if (child) {
        if (queue_.try_push(*child)) continue;
        if (open.size() < kOpenLevels) {
          open.push_back(std::move(here));
        } else {
          closed.push_back(handler_.close(std::move(here)));
        }
        here = std::move(*child);
        if (!names(here)) return false;
        continue;
      }
      if (!handler_.leave(here)) return false;
      ahead_ = false;
      if (!closed.empty()) {
        auto up = handler_.reopen(here, closed.back());
        closed.pop_back();
        if (up) {
          here = std::move(*up);
          continue;
        }
        closed.clear();
      }
      if (open.empty()) return true;
      here = std::move(open.back());
      open.pop_back();
    }
  }

  bool names(Place& place) {
    ahead_ = false;
    for (;;) {
      const int fd = handler_.descriptor(place);
      if (const int code = reader_.read(fd, DirectoryReader::kLargest, entries_)) {
        handler_.unreadable(place, code);
        return true;
      }
      if (entries_.empty()) return true;
      std::erase_if(entries_, [&place](const DirectoryEntry& entry) {
        if (entry.type == DT_DIR || entry.type == DT_UNKNOWN) place.subdirectories = true;
        return entry.type == DT_DIR;
      });
      sort_by_inode(entries_);
      if (!handler_.names(place, entries_)) return false;
    }
  }

  /// The next subdirectory, or none. What is behind it is read again after a descent, so the reads
  /// begin small.
  bool next(Place& place, std::optional<Place>& child) {
    if (!place.subdirectories) return true;
    const int fd = handler_.descriptor(place);
    if (!ahead_) {
      if (::lseek(fd, place.resume.next(), SEEK_SET) < 0) {
        handler_.unreadable(place, errno);
        return true;
      }
      place.resume.sought();
      entries_.clear();
      at_ = 0;
      size_ = 2048;
      ahead_ = true;
    }
    for (;;) {
      while (at_ < entries_.size()) {
        const DirectoryEntry& entry = entries_[at_++];
        if (place.resume.repeats(entry)) continue;
        if (entry.type != DT_DIR && entry.type != DT_UNKNOWN) continue;
        place.resume.enter(entry);
        if (!handler_.enter(place, entry, child)) return false;
        if (child) return true;
      }
      if (const int code = reader_.read(fd, size_, entries_)) {
        handler_.unreadable(place, code);
        return true;
      }
      if (entries_.empty()) return true;
      at_ = 0;
      size_ = std::min(size_ * 2, DirectoryReader::kLargest);
    }
  }

  Handler& handler_;
  TreeQueue<Place>& queue_;
  DirectoryReader reader_;
  std::vector<DirectoryEntry> entries_;
  bool ahead_ = false;  // entries_ from at_ on are the next ones of the directory walked now
  std::size_t at_ = 0;
  std::size_t size_ = 0;
};

}  // namespace evojail
