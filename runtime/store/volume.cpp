#include "store/volume.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "base/directory.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/parse.hpp"

namespace evojail {
namespace {

/// "tmpfs", of what people put there by mistake.
std::string foreign_type(long magic) {
  constexpr std::array<std::pair<long, std::string_view>, 7> names{
      {{TMPFS_MAGIC, "tmpfs"},
       {OVERLAYFS_SUPER_MAGIC, "overlayfs"},
       {NFS_SUPER_MAGIC, "nfs"},
       {FUSE_SUPER_MAGIC, "fuse"},
       {F2FS_SUPER_MAGIC, "f2fs"},
       {MSDOS_SUPER_MAGIC, "vfat"},
       {0x2fc12fc1, "zfs"}}};
  const auto known = std::ranges::find(names, magic, &std::pair<long, std::string_view>::first);
  if (known != names.end()) return std::string(known->second);
  return fmt::format("a file system of type {:#x}", static_cast<unsigned long>(magic));
}

Result<VolumeType> volume_type(int dir, const std::string& path) {
  struct statfs facts{};
  if (::fstatfs(dir, &facts) != 0) return fail_errno("looking at the file system of", path);
  if (facts.f_type == BTRFS_SUPER_MAGIC) return VolumeType::btrfs;
  // ext2 and ext3 share ext4's number, and Linux serves them with the same driver.
  if (facts.f_type == EXT4_SUPER_MAGIC) return VolumeType::ext4;
  if (facts.f_type == XFS_SUPER_MAGIC) return VolumeType::xfs;
  return std::unexpected(
      Error(fmt::format("'{}' lies on {}, which holds no jails", path, foreign_type(facts.f_type)))
          .hint("put JAILDIR and INCDIR on btrfs, ext4 or xfs"));
}

/// Bytes that were written and lie in memory, with room set aside for them. ext4 and xfs take them
/// off what they say is free, btrfs does not (its btrfs_statfs()), and so much more than
/// DISK_RESERVE can be on its way that the volume is full before it looks so.
std::uint64_t bytes_without_place(std::string_view id) {
  const std::string_view hex = id.substr(id.find('-') + 1);
  if (hex.size() != 32) return 0;
  const std::string file =
      fmt::format("/sys/fs/btrfs/{}-{}-{}-{}-{}/allocation/data/bytes_may_use", hex.substr(0, 8),
                  hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4), hex.substr(20));
  const auto text = read_file(file);
  if (!text) return 0;  // data and metadata are mixed, or there is no /sys
  constexpr auto most = std::numeric_limits<std::uint64_t>::max();
  return parse_number<std::uint64_t>(trim(*text), 0, most).value_or(0);
}

/// A btrfs subvolume has a device number of its own; what they share is the file system's UUID.
Result<std::string> volume_id(int dir, const std::string& path, VolumeType type) {
  if (type == VolumeType::btrfs) {
    btrfs_ioctl_fs_info_args info{};
    if (::ioctl(dir, BTRFS_IOC_FS_INFO, &info) != 0) {
      return fail_errno("asking for the file system's UUID of", path);
    }
    std::string id = "btrfs-";
    for (const auto byte : info.fsid) id += fmt::format("{:02x}", byte);
    return id;
  }
  struct stat st{};
  if (::fstat(dir, &st) != 0) return fail_errno("looking at", path);
  return fmt::format("device-{}", st.st_dev);
}

}  // namespace

std::string_view to_string(VolumeType type) {
  switch (type) {
    case VolumeType::btrfs:
      return "btrfs";
    case VolumeType::ext4:
      return "ext4";
    case VolumeType::xfs:
      return "xfs";
  }
  return "unknown";
}

Result<Volume> inspect_volume(int dir, const std::string& path) {
  Volume volume;
  TRY(volume.type, volume_type(dir, path));
  TRY(volume.id, volume_id(dir, path, volume.type));
  struct statx facts{};
  if (::statx(dir, "", AT_EMPTY_PATH, STATX_MNT_ID, &facts) != 0) {
    return fail_errno("looking at", path);
  }
  volume.mount_id = facts.stx_mnt_id;
  struct statvfs mount{};
  if (::fstatvfs(dir, &mount) != 0) return fail_errno("looking at the file system of", path);
  volume.nosuid = (mount.f_flag & ST_NOSUID) != 0;
  volume.nodev = (mount.f_flag & ST_NODEV) != 0;
  volume.noexec = (mount.f_flag & ST_NOEXEC) != 0;
  volume.read_only = (mount.f_flag & ST_RDONLY) != 0;
  volume.size = static_cast<std::uint64_t>(mount.f_blocks) * mount.f_frsize;
  volume.available = static_cast<std::uint64_t>(mount.f_bavail) * mount.f_frsize;
  volume.inodes = mount.f_files;
  volume.inodes_available = mount.f_favail;
  if (volume.type == VolumeType::btrfs) {
    volume.available -= std::min(volume.available, bytes_without_place(volume.id));
  }
  return volume;
}

Result<bool> mounted_lazytime(const Volume& volume) {
  TRY(const std::string table, read_file("/proc/self/mountinfo", 64 << 20));
  const std::string id = std::to_string(volume.mount_id);
  for (const auto line : split_lines(table)) {
    const auto words = split_words(line, " ");
    if (words.empty() || words[0] != id) continue;
    // proc(5): the options of the file system are the last field.
    const auto options = split_words(words.back(), ",");
    return std::ranges::find(options, "lazytime") != options.end();
  }
  return fail(fmt::format("reading '/proc/self/mountinfo': no mount has the number {}", id));
}

Result<bool> has_reflink(int dir, const std::string& path) {
  // Two files without a name or a byte: what can clone answers 0, what cannot EOPNOTSUPP.
  TRY(const Fd from, open_unnamed(dir, path));
  TRY(const Fd to, open_unnamed(dir, path));
  if (::ioctl(to.get(), FICLONE, from.get()) == 0) return true;
  if (errno == EOPNOTSUPP || errno == ENOTTY) return false;
  return fail_errno("trying to share extents in", path);
}

}  // namespace evojail
