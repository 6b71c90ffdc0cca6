#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "config/host_settings.hpp"

namespace evojail {

enum class VolumeType { btrfs, ext4, xfs };

/// "btrfs", "ext4", "xfs".
[[nodiscard]] std::string_view to_string(VolumeType type);

/// What `check-setup` says about the volume that holds JAILDIR and INCDIR.
struct StoreFacts {
  VolumeType type = VolumeType::btrfs;
  bool nosuid = false;     ///< true where JAILDIR, INCDIR and ARCHIVESDIR all are mounted so
  bool nodev = false;      ///< likewise
  bool noexec = false;     ///< likewise
  bool read_only = false;  ///< true where any of the three is
  bool reflink = false;    ///< files can share extents: btrfs, and xfs made with reflink=1
  bool archives_apart =
      false;               ///< ARCHIVESDIR is on another volume or mount: `archive` cannot work
  bool on_root = false;    ///< JAILDIR lies on the mount of '/': no volume of its own
  std::uint64_t size = 0;  ///< bytes
  std::uint64_t available = 0;  ///< bytes, to an unprivileged writer
};

/// Whether the three directories can be trusted with clients' data: they exist, are root's own with
/// mode 0700, none within another, lie on btrfs, ext4 or xfs (with reflink), JAILDIR and INCDIR on
/// one volume, without lazytime. The first rule that is broken is the error, with its cure as the
/// hint. Changes nothing.
[[nodiscard]] Result<void> check_store(const HostSettings& host);

/// Whether JAILDIR is there, on the volume of INCDIR: each may be mounted by itself, and what is
/// missing below a bare mount point was not moved away.
[[nodiscard]] Result<void> check_jaildir_mounted(const HostSettings& host);

/// check_store() for directories that may be missing: those are judged by the nearest directory
/// above them. Where there are jails, JAILDIR may not be missing: its volume is not mounted.
/// Changes nothing.
[[nodiscard]] Result<void> check_store_place(const HostSettings& host);

/// The directory, or, where it is missing, the nearest one above it.
[[nodiscard]] Result<Fd> open_nearest(std::string path);

/// Makes JAILDIR, INCDIR and ARCHIVESDIR where they are missing (root's, 0700; parents 0755), then
/// check_store(). An existing directory is left as it is. What check_store_place() refuses is
/// refused before anything is made.
[[nodiscard]] Result<void> make_store(const HostSettings& host);

/// The facts for people, of directories that exist; an error is a directory that does not, or a
/// file system that is none of the three.
[[nodiscard]] Result<StoreFacts> inspect_store(const HostSettings& host);

/// RUNDIR and RUNDIR/.lock (0700), DATADIR (0755), LOGDIR (0750), each where it is missing.
[[nodiscard]] Result<void> make_run_dirs(const HostSettings& host);

/// Bytes and inodes of the volume that DISK_RESERVE keeps free of clients' data, and what is
/// available now: when either falls below its reserve, writing sessions end, so that the
/// neighbours' incs still fit.
struct FreeSpace {
  std::uint64_t available = 0;
  std::uint64_t reserve = 0;
  std::uint64_t inodes_available = 0;
  std::uint64_t inodes_reserve = 0;

  [[nodiscard]] bool low_in_bytes() const noexcept { return available < reserve; }
  [[nodiscard]] bool low() const noexcept {
    return low_in_bytes() || inodes_available < inodes_reserve;
  }
};
/// "2.0 GiB are free on the volume, DISK_RESERVE keeps 5.0 GiB", or inodes where they are scarce.
[[nodiscard]] std::string describe(const FreeSpace& space);
[[nodiscard]] Result<FreeSpace> free_space(const HostSettings& host);

}  // namespace evojail
