#include "store/btrfs_engine.hpp"

#include <btrfsutil.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/btrfs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/amount.hpp"
#include "base/directory.hpp"
#include "store/tree_engine.hpp"
#include "store/tree_remove.hpp"

namespace evojail {
namespace {

/// libbtrfsutil leaves the cause in errno; its own code names the step.
std::unexpected<Error> fail_btrfs(std::string_view operation, std::string_view object) {
  return fail_errno(operation, object);
}

/// Subvolumes that lie within this one: a snapshot has empty directories in their places.
Result<unsigned> count_nested(int subvolume, std::string_view object) {
  btrfs_ioctl_get_subvol_rootref_args args{};
  if (::ioctl(subvolume, BTRFS_IOC_GET_SUBVOL_ROOTREF, &args) != 0 && errno != EOVERFLOW) {
    return fail_errno("looking for subvolumes in", object);
  }
  return args.num_items;
}

Result<void> remove_subvolume(int parent, const std::string& name) {
  if (::btrfs_util_delete_subvolume_fd(parent, name.c_str(), 0) == BTRFS_UTIL_OK) return {};
  if (errno != ENOTEMPTY) return fail_btrfs("removing subvolume", name);
  // Others lie within it. Read-only as an inc is, it would not let them go.
  {
    TRY(const Fd own, open_subdir(parent, name, name));
    if (::btrfs_util_set_subvolume_read_only_fd(own.get(), false) != BTRFS_UTIL_OK) {
      return fail_btrfs("making writable", name);
    }
  }
  if (::btrfs_util_delete_subvolume_fd(parent, name.c_str(),
                                       BTRFS_UTIL_DELETE_SUBVOLUME_RECURSIVE) != BTRFS_UTIL_OK) {
    return fail_btrfs("removing subvolume", name);
  }
  return {};
}

/// What chattr(1) set on the jail's directory would go into the snapshot, read-only, where nobody
/// takes it off again: it could get neither its name nor away.
Result<void> check_not_locked_by_flags(int jail) {
  struct statx facts{};
  if (::statx(jail, "", AT_EMPTY_PATH, STATX_TYPE, &facts) != 0) {
    return fail_errno("looking at", "the jail's directory");
  }
  if ((facts.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) == 0) return {};
  return std::unexpected(Error("its directory is immutable or append-only, and so would be the inc")
                             .hint("chattr -i -a, on the directory of the jail alone"));
}

}  // namespace

bool was_written(const SubvolumeHistory& history) {
  if (history.changed <= history.made) return false;
  if (history.received == 0) return true;
  // What btrfs-receive(8) wrote reaches the disk by and by, also after it was done.
  constexpr std::int64_t kWriteback = 120;
  return history.changed > history.received &&
         history.changed_at > history.received_at + kWriteback;
}

Result<void> BtrfsEngine::make_jail_dir(int parent, const std::string& name) {
  if (::btrfs_util_create_subvolume_fd(parent, name.c_str(), 0, nullptr, nullptr) !=
      BTRFS_UTIL_OK) {
    return fail_btrfs("making subvolume", name);
  }
  if (::fchmodat(parent, name.c_str(), 0700, 0) != 0) {
    return fail_errno("setting the mode of", name);
  }
  return {};
}

Result<BuildResult> BtrfsEngine::build(const BuildRequest& request, const BuildProgress&) {
  if (::btrfs_util_is_subvolume_fd(request.jail_dir) != BTRFS_UTIL_OK) {
    return std::unexpected(
        Error("its directory is no btrfs subvolume, so it has no snapshots")
            .hint("make a subvolume, move data/ and var/ into it, and give it the jail's name"));
  }
  CHECK(check_not_locked_by_flags(request.jail_dir));
  if (::btrfs_util_create_snapshot_fd2(
          request.jail_dir, request.incs_dir, request.temporary.c_str(),
          BTRFS_UTIL_CREATE_SNAPSHOT_READ_ONLY, nullptr, nullptr) != BTRFS_UTIL_OK) {
    return fail_btrfs("making snapshot", request.temporary);
  }
  TRY(const unsigned nested, count_nested(request.jail_dir, "the jail"));
  BuildResult result;
  if (nested != 0) {
    result.troubles.push_back(fmt::format("{} within the jail, whose files are not in this inc",
                                          count_of(nested, "subvolume")));
  }
  return result;
}

Result<std::string> BtrfsEngine::identify(int dir) {
  // A plain directory, as somebody may have copied one here, has no UUID of its own.
  if (::btrfs_util_is_subvolume_fd(dir) != BTRFS_UTIL_OK) return identify_by_inode(dir);
  struct btrfs_util_subvolume_info info{};
  if (::btrfs_util_subvolume_info_fd(dir, 0, &info) != BTRFS_UTIL_OK) {
    return fail_btrfs("asking for the UUID of", "a subvolume");
  }
  std::string identity = "uuid-";
  for (const auto byte : info.uuid) identity += fmt::format("{:02x}", byte);
  return identity;
}

Result<bool> BtrfsEngine::removes_in_one_step(int inc) {
  // A plain directory goes file by file, and so do subvolumes within a snapshot.
  if (::btrfs_util_is_subvolume_fd(inc) != BTRFS_UTIL_OK) return false;
  TRY(const unsigned nested, count_nested(inc, "an inc"));
  return nested == 0;
}

Result<void> BtrfsEngine::remove(int parent, const std::string& name,
                                 const RemoveProgress& progress) {
  auto dir = open_subdir(parent, name, name);
  if (!dir && dir.error().code() == ENOENT) return {};
  if (!dir) return std::unexpected(std::move(dir).error());
  const bool subvolume = ::btrfs_util_is_subvolume_fd(dir->get()) == BTRFS_UTIL_OK;
  dir->reset();
  if (!subvolume) return remove_plain_tree(parent, name, progress);
  return remove_subvolume(parent, name);
}

Result<std::optional<bool>> BtrfsEngine::is_locked(int inc) {
  if (::btrfs_util_is_subvolume_fd(inc) != BTRFS_UTIL_OK) return std::nullopt;
  bool read_only = false;
  if (::btrfs_util_get_subvolume_read_only_fd(inc, &read_only) != BTRFS_UTIL_OK) {
    return fail_btrfs("asking for the read-only property of", "a subvolume");
  }
  return read_only;
}

Result<bool> BtrfsEngine::set_locked(int inc, bool locked) {
  if (::btrfs_util_is_subvolume_fd(inc) != BTRFS_UTIL_OK) return false;
  if (::btrfs_util_set_subvolume_read_only_fd(inc, locked) != BTRFS_UTIL_OK) {
    return fail_btrfs("setting the read-only property of", "a subvolume");
  }
  return true;
}

Result<std::optional<bool>> BtrfsEngine::written_since_taken(int inc) {
  if (::btrfs_util_is_subvolume_fd(inc) != BTRFS_UTIL_OK) return std::nullopt;
  struct btrfs_util_subvolume_info info{};
  if (::btrfs_util_subvolume_info_fd(inc, 0, &info) != BTRFS_UTIL_OK) {
    return fail_btrfs("asking for the transactions of", "a subvolume");
  }
  return was_written({.changed = info.ctransid,
                      .made = info.otransid,
                      .received = info.rtransid,
                      .changed_at = info.ctime.tv_sec,
                      .received_at = info.rtime.tv_sec});
}

Result<void> BtrfsEngine::sync(std::span<const int> fds) {
  // One commit for all of them: cheaper than a log for each file, and snapshots force one anyway.
  if (fds.empty()) return {};
  if (::syncfs(fds.front()) != 0) return fail_errno("syncing", "the volume");
  // What a removed subvolume held is given back by a thread of the kernel that otherwise wakes
  // every thirty seconds: a full volume would stay full for so long. This call wakes it.
  if (::ioctl(fds.front(), BTRFS_IOC_SYNC, nullptr) != 0) {
    return fail_errno("syncing", "the volume");
  }
  return {};
}

}  // namespace evojail
