#include "store/tree_handle.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "store/tree_directory.hpp"

namespace evojail {
namespace {

// <linux/exportfs.h>, enum fid_type: 32 bits of inode number, 32 of generation; and the form that
// xfs has for numbers of 64 bits (fs/xfs/xfs_export.h).
constexpr int kShortHandle = 1;
constexpr int kLongHandle = 0x81;
constexpr unsigned kHandleRoom = 32;
constexpr int kMostSteps = 256;

/// struct file_handle ends in an array without a size.
struct Handle {
  alignas(file_handle) std::array<std::byte, sizeof(file_handle) + kHandleRoom> bytes{};

  file_handle* get() { return reinterpret_cast<file_handle*>(bytes.data()); }
  std::byte* body() { return bytes.data() + offsetof(file_handle, f_handle); }
};

}  // namespace

int inode_generation(int fd, std::uint32_t& generation) {
  Handle handle;
  handle.get()->handle_bytes = kHandleRoom;
  int mount = 0;
  if (::name_to_handle_at(fd, "", handle.get(), &mount, AT_EMPTY_PATH) != 0) return errno;
  const int type = handle.get()->handle_type;
  if (type != kShortHandle && type != kLongHandle) return EOPNOTSUPP;
  std::memcpy(&generation, handle.body() + (type == kShortHandle ? 4 : 8), sizeof generation);
  return 0;
}

int open_directory_below(int root, std::uint64_t inode, std::uint32_t generation, Fd& directory) {
  Handle handle;
  if (inode <= UINT32_MAX) {
    const auto number = static_cast<std::uint32_t>(inode);
    handle.get()->handle_type = kShortHandle;
    handle.get()->handle_bytes = 8;
    std::memcpy(handle.body(), &number, sizeof number);
    std::memcpy(handle.body() + 4, &generation, sizeof generation);
  } else {
    handle.get()->handle_type = kLongHandle;
    handle.get()->handle_bytes = 12;
    std::memcpy(handle.body(), &inode, sizeof inode);
    std::memcpy(handle.body() + 8, &generation, sizeof generation);
  }
  Fd found(::open_by_handle_at(root, handle.get(),
                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!found) return errno;

  struct statx top{};
  struct statx here{};
  if (const int code = stat_entry(root, "", top)) return code;
  if (const int code = stat_entry(found.get(), "", here)) return code;
  if (here.stx_ino != inode) return ESTALE;
  Fd up;
  for (int steps = 0; here.stx_ino != top.stx_ino; ++steps) {
    const std::uint64_t below = here.stx_ino;
    if (steps == kMostSteps) return ELOOP;
    if (const int code = open_parent(up ? up.get() : found.get(), up)) return code;
    if (const int code = stat_entry(up.get(), "", here)) return code;
    // The root of a file system is its own parent; its mount's parent is another volume.
    if (!same_volume(here, top) || here.stx_ino == below) return EXDEV;
  }
  directory = std::move(found);
  return 0;
}

}  // namespace evojail
