#include "store/tree_directory.hpp"

#include <dirent.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace evojail {

int DirectoryReader::read(int fd, std::size_t bytes, std::vector<DirectoryEntry>& entries) {
  entries.clear();
  if (buffer_.empty()) buffer_.resize(kLargest);
  bytes = std::min(bytes, kLargest);
  // A bufferful may hold nothing but "." and "..": an empty list would mean the end.
  while (entries.empty()) {
    std::int64_t at = ::lseek(fd, 0, SEEK_CUR);
    const ssize_t got = ::getdents64(fd, buffer_.data(), bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return 0;
    for (ssize_t done = 0; done < got;) {
      const char* record = buffer_.data() + done;
      std::uint16_t length = 0;
      DirectoryEntry entry{};
      std::memcpy(&entry.inode, record + offsetof(dirent64, d_ino), sizeof entry.inode);
      std::memcpy(&entry.next, record + offsetof(dirent64, d_off), sizeof entry.next);
      std::memcpy(&length, record + offsetof(dirent64, d_reclen), sizeof length);
      std::memcpy(&entry.type, record + offsetof(dirent64, d_type), sizeof entry.type);
      entry.name = record + offsetof(dirent64, d_name);
      entry.at = at;
      if (std::strcmp(entry.name, ".") != 0 && std::strcmp(entry.name, "..") != 0) {
        entries.push_back(entry);
      }
      at = entry.next;
      done += length;
    }
  }
  return 0;
}

void sort_by_inode(std::vector<DirectoryEntry>& entries) {
  std::ranges::sort(entries, {}, &DirectoryEntry::inode);
}

int stat_entry(int fd, const char* name, struct statx& facts) {
  constexpr unsigned mask = STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID;
  const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name == '\0' ? AT_EMPTY_PATH : 0);
  return ::statx(fd, name, flags, mask, &facts) == 0 ? 0 : errno;
}

bool same_volume(const struct statx& one, const struct statx& other) {
  return one.stx_dev_major == other.stx_dev_major && one.stx_dev_minor == other.stx_dev_minor &&
         one.stx_mnt_id == other.stx_mnt_id;
}

int open_subdirectory(int parent, const char* name, Fd& directory) {
  open_how how{};
  how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOATIME;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  for (int tries = 0; tries < 64; ++tries) {
    const long fd = ::syscall(SYS_openat2, parent, name, &how, sizeof how);
    if (fd >= 0) {
      directory.reset(static_cast<int>(fd));
      return 0;
    }
    // O_NOATIME is for the owner and CAP_FOWNER (open(2)); without it the access time is all that
    // changes.
    if (errno == EPERM && (how.flags & O_NOATIME) != 0) {
      how.flags &= ~static_cast<std::uint64_t>(O_NOATIME);
      continue;
    }
    // EAGAIN: a rename raced with the look-up (openat2(2)).
    if (errno != EAGAIN && errno != EINTR) return errno;
  }
  return EAGAIN;
}

int open_parent(int directory, Fd& parent) {
  const int fd = ::openat(directory, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno;
  parent.reset(fd);
  return 0;
}

}  // namespace evojail
