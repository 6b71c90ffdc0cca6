#include "store/host_check.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "base/amount.hpp"
#include "base/fd.hpp"
#include "base/file.hpp"
#include "store/jails.hpp"
#include "store/volume.hpp"

namespace evojail {
namespace {

struct StoreDir {
  std::string_view key;
  std::string path;
};

std::array<StoreDir, 3> store_dirs(const HostSettings& host) {
  return {{{"JAILDIR", host.jaildir}, {"INCDIR", host.incdir}, {"ARCHIVESDIR", host.archivesdir}}};
}

Result<Fd> open_store_dir(const StoreDir& dir) {
  auto fd = open_directory(dir.path);
  if (!fd && fd.error().code() == ENOENT) {
    return std::unexpected(
        Error(fmt::format("{} '{}' does not exist", dir.key, dir.path))
            .hint(
                fmt::format("is the volume mounted? On a new one: mkdir -p -m 0700 {}", dir.path)));
  }
  return fd;
}

/// Root's own and closed to everybody else: below it lie files with the client's owners and modes,
/// setuid root included, and no other account of the host may reach them.
Result<void> check_closed(const StoreDir& dir, int fd) {
  struct stat st{};
  if (::fstat(fd, &st) != 0) return fail_errno("looking at", dir.path);
  if (st.st_uid != 0 || st.st_gid != 0) {
    return std::unexpected(Error(fmt::format("{} '{}' belongs to uid {}, gid {}, not to root",
                                             dir.key, dir.path, st.st_uid, st.st_gid))
                               .hint(fmt::format("chown root:root {}", dir.path)));
  }
  if ((st.st_mode & 07777) != 0700) {
    return std::unexpected(Error(fmt::format("{} '{}' has mode {:04o}: other accounts of this host "
                                             "could run setuid files that clients push",
                                             dir.key, dir.path, st.st_mode & 07777))
                               .hint(fmt::format("chmod 0700 {}", dir.path)));
  }
  return {};
}

/// Whoever can write in a directory of locks and leases can take their place.
Result<void> check_not_writable(const std::string& path) {
  struct stat st{};
  if (::stat(path.c_str(), &st) != 0) return fail_errno("looking at", path);
  if (st.st_uid == ::geteuid() && (st.st_mode & 022) == 0) return {};
  return std::unexpected(
      Error(fmt::format("'{}' belongs to uid {} with mode {:04o}: others could write in it", path,
                        st.st_uid, st.st_mode & 07777))
          .hint(fmt::format("chown root:root {0} && chmod go-w {0}", path)));
}

Result<void> check_apart(const std::array<StoreDir, 3>& dirs) {
  for (const auto& outer : dirs) {
    for (const auto& inner : dirs) {
      if (&outer == &inner || !(inner.path + "/").starts_with(outer.path + "/")) continue;
      return fail(
          fmt::format("{} '{}' lies within {} '{}'", inner.key, inner.path, outer.key, outer.path));
    }
  }
  return {};
}

bool same_directory(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/// Whether `inner` is `outer` or lies below it, by whatever links its path leads there.
Result<bool> lies_within(int inner, const struct stat& outer, const std::string& path) {
  TRY(Fd at, duplicate(inner));
  struct stat here{};
  if (::fstat(at.get(), &here) != 0) return fail_errno("looking at", path);
  while (!same_directory(here, outer)) {
    TRY(at, open_at(at.get(), "..", O_PATH | O_DIRECTORY));
    const struct stat below = here;
    if (::fstat(at.get(), &here) != 0) return fail_errno("looking above", path);
    if (same_directory(here, below)) return false;
  }
  return true;
}

/// As check_apart(), of what the paths lead to.
Result<void> check_apart(const std::array<StoreDir, 3>& dirs, const std::array<Fd, 3>& fds) {
  for (std::size_t outer = 0; outer < dirs.size(); ++outer) {
    struct stat st{};
    if (::fstat(fds[outer].get(), &st) != 0) return fail_errno("looking at", dirs[outer].path);
    for (std::size_t inner = 0; inner < dirs.size(); ++inner) {
      if (inner == outer) continue;
      TRY(const bool within, lies_within(fds[inner].get(), st, dirs[inner].path));
      if (!within) continue;
      return fail(fmt::format("{} '{}' leads to what is, or lies within, {} '{}'", dirs[inner].key,
                              dirs[inner].path, dirs[outer].key, dirs[outer].path));
    }
  }
  return {};
}

Result<void> check_volume(const StoreDir& dir, int fd, const Volume& volume) {
  TRY(const bool lazytime, mounted_lazytime(volume));
  if (lazytime) {
    return std::unexpected(
        Error(fmt::format("{} '{}' is mounted lazytime, under which a change may go unnoticed",
                          dir.key, dir.path))
            .hint("mount it with nolazytime, in /etc/fstab too"));
  }
  if (volume.type != VolumeType::xfs || volume.read_only) return {};
  TRY(const bool reflink, has_reflink(fd, dir.path));
  if (!reflink) {
    return std::unexpected(
        Error(fmt::format("{} '{}' lies on an xfs without reflink", dir.key, dir.path))
            .hint("make the file system anew with mkfs.xfs -m reflink=1, or use ext4 or btrfs"));
  }
  return {};
}

/// Whether the volumes that the directories lie on, or will, can hold jails.
Result<void> check_volumes(const HostSettings& host, const std::array<Fd, 3>& fds) {
  const auto dirs = store_dirs(host);
  TRY(const Volume jails, inspect_volume(fds[0].get(), host.jaildir));
  TRY(const Volume incs, inspect_volume(fds[1].get(), host.incdir));
  TRY(const Volume archives, inspect_volume(fds[2].get(), host.archivesdir));
  if (jails.id != incs.id) {
    return std::unexpected(Error(fmt::format("JAILDIR '{}' and INCDIR '{}' lie on two volumes",
                                             host.jaildir, host.incdir))
                               .hint("incs share their jail's volume: set both below one mount"));
  }
  CHECK(check_volume(dirs[0], fds[0].get(), jails));
  return check_volume(dirs[1], fds[1].get(), incs);
}

Result<bool> on_root_mount(const Volume& volume) {
  TRY(const Fd root, open_directory("/"));
  struct statx facts{};
  if (::statx(root.get(), "", AT_EMPTY_PATH, STATX_MNT_ID, &facts) != 0) {
    return fail_errno("looking at", "/");
  }
  return volume.mount_id == facts.stx_mnt_id;
}

}  // namespace

Result<Fd> open_nearest(std::string path) {
  for (;;) {
    auto fd = open_directory(path);
    if (fd || fd.error().code() != ENOENT || path == "/") return fd;
    const auto slash = path.find_last_of('/');
    path.resize(slash == 0 ? 1 : slash);
  }
}

Result<void> check_store(const HostSettings& host) {
  const auto dirs = store_dirs(host);
  CHECK(check_apart(dirs));
  std::array<Fd, 3> fds;
  for (std::size_t i = 0; i < dirs.size(); ++i) {
    TRY(fds[i], open_store_dir(dirs[i]));
    CHECK(check_closed(dirs[i], fds[i].get()));
  }
  CHECK(check_apart(dirs, fds));
  return check_volumes(host, fds);
}

Result<void> check_jaildir_mounted(const HostSettings& host) {
  TRY(const Fd incs, open_directory(host.incdir));
  TRY(const Volume volume, inspect_volume(incs.get(), host.incdir));
  const auto jails = open_directory(host.jaildir);
  if (!jails && jails.error().code() != ENOENT) return std::unexpected(jails.error());
  const auto found = jails ? inspect_volume(jails->get(), host.jaildir)
                           : Result<Volume>(std::unexpected(jails.error()));
  if (found && found->id == volume.id) return {};
  return std::unexpected(Error(fmt::format("JAILDIR '{}' is not on the volume of INCDIR '{}'",
                                           host.jaildir, host.incdir))
                             .hint("is it mounted?"));
}

Result<void> check_store_place(const HostSettings& host) {
  const auto dirs = store_dirs(host);
  CHECK(check_apart(dirs));
  if (!path_exists(host.jaildir)) {
    // Jails without the directory of their data: what would be made now lay below the mount point.
    TRY(const auto jails, list_jails(host));
    if (!jails.empty()) CHECK(open_store_dir(dirs[0]));
  }
  std::array<Fd, 3> fds;
  for (std::size_t i = 0; i < dirs.size(); ++i) {
    TRY(fds[i], open_nearest(dirs[i].path));
    if (path_exists(dirs[i].path)) CHECK(check_closed(dirs[i], fds[i].get()));
  }
  return check_volumes(host, fds);
}

Result<void> make_store(const HostSettings& host) {
  CHECK(check_store_place(host));
  const auto dirs = store_dirs(host);
  for (const auto& dir : dirs) {
    if (!path_exists(dir.path)) {
      CHECK(make_directories(dir.path, 0700));
    }
  }
  return check_store(host);
}

Result<StoreFacts> inspect_store(const HostSettings& host) {
  StoreFacts facts;
  facts.nosuid = facts.nodev = facts.noexec = true;
  std::array<Volume, 3> volumes;
  const auto dirs = store_dirs(host);
  for (std::size_t i = 0; i < dirs.size(); ++i) {
    TRY(const Fd fd, open_store_dir(dirs[i]));
    TRY(volumes[i], inspect_volume(fd.get(), dirs[i].path));
    facts.nosuid = facts.nosuid && volumes[i].nosuid;
    facts.nodev = facts.nodev && volumes[i].nodev;
    facts.noexec = facts.noexec && volumes[i].noexec;
    facts.read_only = facts.read_only || volumes[i].read_only;
  }
  facts.type = volumes[0].type;
  TRY(facts.on_root, on_root_mount(volumes[0]));
  facts.size = volumes[0].size;
  facts.available = volumes[0].available;
  facts.archives_apart =
      volumes[0].id != volumes[2].id || volumes[0].mount_id != volumes[2].mount_id;
  facts.reflink = facts.type == VolumeType::btrfs;
  if (facts.type == VolumeType::xfs && !facts.read_only) {
    TRY(const Fd jails, open_directory(host.jaildir));
    TRY(facts.reflink, has_reflink(jails.get(), host.jaildir));
  }
  return facts;
}

Result<void> make_run_dirs(const HostSettings& host) {
  const std::array<std::pair<std::string, mode_t>, 4> wanted{{{host.rundir, 0700},
                                                              {host.rundir + "/.lock", 0700},
                                                              {host.datadir, 0755},
                                                              {host.logdir, 0750}}};
  for (const auto& [path, mode] : wanted) {
    if (!path_exists(path)) {
      CHECK(make_directories(path, mode));
    }
    CHECK(check_not_writable(path));
  }
  return {};
}

Result<FreeSpace> free_space(const HostSettings& host) {
  TRY(const Fd jails, open_directory(host.jaildir));
  TRY(const Volume volume, inspect_volume(jails.get(), host.jaildir));
  return FreeSpace{.available = volume.available,
                   .reserve = volume.size / 100 * host.disk_reserve_percent,
                   .inodes_available = volume.inodes_available,
                   .inodes_reserve = volume.inodes / 100 * host.disk_reserve_percent};
}

std::string describe(const FreeSpace& space) {
  if (space.low() && !space.low_in_bytes()) {
    return fmt::format("{} inodes are free on the volume, DISK_RESERVE keeps {}",
                       space.inodes_available, space.inodes_reserve);
  }
  return fmt::format("{} are free on the volume, DISK_RESERVE keeps {}",
                     format_bytes(space.available), format_bytes(space.reserve));
}

}  // namespace evojail
