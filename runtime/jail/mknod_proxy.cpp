#include "jail/mknod_proxy.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <linux/securebits.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "jail/device_places.hpp"
#include "jail/mknod_request.hpp"
#include "kernel/capabilities.hpp"
#include "kernel/clone.hpp"

namespace evojail {
namespace {

Result<std::uint64_t> mount_id(int directory) {
  struct statx facts{};
  if (::statx(directory, "", AT_EMPTY_PATH, STATX_MNT_ID, &facts) != 0 ||
      (facts.stx_mask & STATX_MNT_ID) == 0) {
    return fail_errno("asking for the mount of", "a directory");
  }
  return facts.stx_mnt_id;
}

/// Mounts below the start are crossed (/var/backup lies in /var), symbolic links and `..` out of it
/// are not.
Result<Fd> open_parent(const MknodRequest& request, const std::string& directory) {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, request.start.get(), directory.c_str(), &how, sizeof how);
  if (fd < 0) return fail_errno("opening", directory);
  return Fd(static_cast<int>(fd));
}

/// In a process of its own: the host's root has no id on an id-mapped mount (EOVERFLOW), so the
/// caller's ids are taken on, and NO_SETUID_FIXUP keeps CAP_MKNOD while they are. The umask is the
/// caller's too, for the kernel to apply: it does not where the parent has a default ACL (acl(5)).
int make_node_as_caller(int parent, const std::string& name, const MknodRequest& request) {
  if (::prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) != 0) return errno;
  if (!limit_capabilities({CAP_MKNOD, CAP_DAC_OVERRIDE, CAP_SETUID, CAP_SETGID})) return EPERM;
  ::setfsgid(request.gid);
  ::setfsuid(request.uid);
  ::umask(request.umask);
  return ::mknodat(parent, name.c_str(), request.mode, request.device) == 0 ? 0 : errno;
}

Result<void> make_node(const MknodRequest& request, const SplitPath& path, int parent) {
  TRY(auto child,
      clone_process(0, [&] { return make_node_as_caller(parent, path.name, request); }));
  TRY(const auto status, child.wait());
  if (status.exited && status.value == 0) return {};
  return fail_errno("making", request.path, status.exited ? status.value : EIO);
}

}  // namespace

Result<MknodProxy> MknodProxy::make(int listener, int init, std::uint32_t base_uid,
                                    std::vector<std::string> places) {
  std::vector<std::uint64_t> mounts;
  for (const char* place : {"data", "var/backup", "var"}) {
    TRY(const Fd directory,
        open_path(fmt::format("/proc/{}/root/{}", init, place), O_PATH | O_DIRECTORY));
    TRY(const auto id, mount_id(directory.get()));
    mounts.push_back(id);
  }
  return MknodProxy(listener, base_uid, std::move(places), std::move(mounts));
}

Result<void> MknodProxy::serve_one() {
  TRY(const auto notification, receive_notification(listener_));
  if (!notification) return {};
  const auto made = [&]() -> Result<void> {
    TRY(const auto request, read_mknod_request(*notification));
    TRY(const auto path, split_new_path(request.path));
    // From here on the pid does not count any more; before, it may have been another's.
    if (!still_waits(listener_, notification->id)) return {};
    const mode_t type = request.mode & S_IFMT;
    if (type != S_IFCHR && type != S_IFBLK) return fail_errno("making", request.path, EPERM);
    if (request.uid != base_uid_) return fail_errno("making", request.path, EPERM);
    TRY(const auto live, first_without_nodev(places_));
    if (!live.empty()) return fail_errno("making", request.path, EPERM);
    TRY(const Fd parent, open_parent(request, path.directory));
    TRY(const auto mount, mount_id(parent.get()));
    if (std::ranges::find(mounts_, mount) == mounts_.end())
      return fail_errno("making", request.path, EPERM);
    return make_node(request, path, parent.get());
  }();
  const int code = made ? 0 : made.error().code();
  return answer_notification(listener_, notification->id, made || code != 0 ? code : EPERM);
}

}  // namespace evojail
