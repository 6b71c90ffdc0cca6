#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/fd.hpp"

namespace evojail {

/// One name as getdents64(2) gives it. The name ends in a NUL byte and lives as long as the
/// reader's buffer.
struct DirectoryEntry {
  const char* name;
  std::uint64_t inode;
  std::int64_t at;     ///< where reading comes upon this entry (lseek(2) on the directory)
  std::int64_t next;   ///< where it goes on behind it
  unsigned char type;  ///< DT_*, DT_UNKNOWN where the file system does not say
};

/// How far the search for subdirectories has come. Names of one hash have one position in ext4's
/// directories, so that a seek to behind the first one leads to it again: a client that has found
/// such names would keep a walk busy for ever.
class DirectoryPosition {
 public:
  /// Where to seek to.
  [[nodiscard]] std::int64_t next() const { return next_; }
  /// That was done.
  void sought() { repeating_ = shared_; }
  /// `entry` has its turn now.
  void enter(const DirectoryEntry& entry) {
    next_ = entry.next;
    entered_ = entry.inode;
    shared_ = entry.at == entry.next;
  }
  /// Whether an entry had its turn before, or must be taken for it where the last one that had is
  /// gone since; asked for each one behind a seek.
  [[nodiscard]] bool repeats(const DirectoryEntry& entry) {
    if (!repeating_) return false;
    const bool here = entry.next == next_;
    repeating_ = here && entry.inode != entered_;
    return here;
  }

 private:
  std::int64_t next_ = 0;
  std::uint64_t entered_ = 0;  // inode
  bool shared_ = false;        // the next one's position is its own
  bool repeating_ = false;
};

/// Streams a directory of any size through one buffer. "." and ".." are left out.
class DirectoryReader {
 public:
  static constexpr std::size_t kLargest = 64 * 1024;

  /// The next bufferful, at most `bytes` of it; an empty list at the end of the directory. Returns
  /// an errno value, 0 when all is well. What an earlier call returned is gone.
  [[nodiscard]] int read(int fd, std::size_t bytes, std::vector<DirectoryEntry>& entries);

 private:
  std::vector<char> buffer_;
};

/// The names of `entries` in the order of their inodes, which is the order on the disk.
void sort_by_inode(std::vector<DirectoryEntry>& entries);

/// statx(2) of `name` itself, never of what a symbolic link points to, with the time of birth and
/// the mount. An empty name stands for `fd` itself. Returns an errno value.
[[nodiscard]] int stat_entry(int fd, const char* name, struct statx& facts);

/// Whether two inodes lie in the same file system and are seen through the same mount. A nested
/// btrfs subvolume, which RESOLVE_NO_XDEV lets pass, differs in its device.
[[nodiscard]] bool same_volume(const struct statx& one, const struct statx& other);

/// Opens the directory `name` in `parent`: never through a symbolic link or a mount point, and
/// without leaving a trace in its access time. Returns an errno value.
[[nodiscard]] int open_subdirectory(int parent, const char* name, Fd& directory);

/// The parent of an open directory. It is whatever ".." says at this moment: compare its inode.
[[nodiscard]] int open_parent(int directory, Fd& parent);

}  // namespace evojail
