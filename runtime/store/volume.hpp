#pragma once

#include <cstdint>
#include <string>

#include "base/result.hpp"
#include "store/host_check.hpp"

namespace evojail {

/// One directory's place: its file system and how that is mounted there.
struct Volume {
  VolumeType type = VolumeType::btrfs;
  std::string id;  ///< the same for all directories of one file system, btrfs subvolumes included
  std::uint64_t mount_id = 0;
  bool nosuid = false;
  bool nodev = false;
  bool noexec = false;
  bool read_only = false;
  std::uint64_t size = 0;       ///< bytes
  std::uint64_t available = 0;  ///< bytes; what is written and has no place yet is taken off
  std::uint64_t inodes = 0;     ///< 0: the file system makes them as it needs them
  std::uint64_t inodes_available = 0;
};

/// The volume of an open directory; a file system that is none of the three is an error.
[[nodiscard]] Result<Volume> inspect_volume(int dir, const std::string& path);

/// Whether the mount has `lazytime`, under which a change's ctime may reach the disk a day later
/// than its data: the tree engine's proof of "unchanged" does not hold there.
[[nodiscard]] Result<bool> mounted_lazytime(const Volume& volume);

/// Whether files of the volume can share extents (FICLONE).
[[nodiscard]] Result<bool> has_reflink(int dir, const std::string& path);

}  // namespace evojail
