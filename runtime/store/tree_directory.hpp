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
  std::int64_t next;   ///< where reading goes on behind this entry (lseek(2) on the directory)
  unsigned char type;  ///< DT_*, DT_UNKNOWN where the file system does not say
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
