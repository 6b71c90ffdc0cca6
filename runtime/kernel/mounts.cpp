#include "kernel/mounts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include "base/parse.hpp"

namespace evojail {
namespace {

std::uint64_t attributes(const MountFlags& flags) {
  std::uint64_t attributes = 0;
  if (flags.readonly) attributes |= MOUNT_ATTR_RDONLY;
  if (flags.nosuid) attributes |= MOUNT_ATTR_NOSUID;
  if (flags.nodev) attributes |= MOUNT_ATTR_NODEV;
  if (flags.noexec) attributes |= MOUNT_ATTR_NOEXEC;
  if (flags.nosymfollow) attributes |= MOUNT_ATTR_NOSYMFOLLOW;
  if (flags.noatime) attributes |= MOUNT_ATTR_NOATIME;
  return attributes;
}

/// What the kernel says of a failed step, from the context's own log ("e devpts: Unknown
/// parameter").
std::unexpected<Error> fail_context(int context, std::string_view operation,
                                    std::string_view object) {
  const int code = errno;
  std::array<char, 512> text{};
  const ssize_t got = ::read(context, text.data(), text.size());
  Error error = Error::system(operation, object, code);
  if (got <= 0) return std::unexpected(std::move(error));
  const std::string_view said = trim({text.data(), static_cast<std::size_t>(got)});
  return std::unexpected(std::move(error).hint(fmt::format("the kernel said: {}", said)));
}

}  // namespace

Result<Fd> clone_mount(int directory, std::string_view name, const MountFlags& flags,
                       std::optional<int> user_namespace) {
  Fd mount(::open_tree(directory, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!mount) return fail_errno("opening the mount of", name);
  mount_attr attr{};
  attr.attr_set = attributes(flags);
  // The access time is a field of several bits: clear it before it is set (mount_setattr(2)).
  if (flags.noatime) attr.attr_clr = MOUNT_ATTR__ATIME;
  attr.propagation = MS_PRIVATE;
  if (user_namespace) {
    attr.attr_set |= MOUNT_ATTR_IDMAP;
    attr.userns_fd = static_cast<__u64>(*user_namespace);
  }
  if (::mount_setattr(mount.get(), "", AT_EMPTY_PATH, &attr, sizeof attr) != 0) {
    auto error = Error::system(user_namespace ? "mapping the ids of" : "restricting the mount of",
                               name, errno);
    if (user_namespace && error.code() == EINVAL) {
      return std::unexpected(std::move(error).hint(
          "the file system there cannot be mounted with mapped ids: use btrfs, ext4 or xfs"));
    }
    return std::unexpected(std::move(error));
  }
  return mount;
}

Result<Fd> new_mount(const std::string& type, const MountFlags& flags,
                     std::initializer_list<std::pair<std::string, std::string>> options) {
  const Fd context(::fsopen(type.c_str(), FSOPEN_CLOEXEC));
  if (!context) return fail_errno("opening file system", type);
  for (const auto& [key, value] : options) {
    const int done =
        value.empty()
            ? ::fsconfig(context.get(), FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0)
            : ::fsconfig(context.get(), FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0);
    if (done != 0) return fail_context(context.get(), "setting option of " + type, key);
  }
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return fail_context(context.get(), "making file system", type);
  }
  Fd mount(::fsmount(context.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes(flags))));
  if (!mount) return fail_context(context.get(), "mounting file system", type);
  return mount;
}

Result<void> attach_mount(int mount, int target, std::string_view name) {
  if (::move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0) {
    return fail_errno("mounting", name);
  }
  return {};
}

Result<void> make_read_only(int mount, std::string_view name) {
  mount_attr attr{};
  attr.attr_set = MOUNT_ATTR_RDONLY;
  if (::mount_setattr(mount, "", AT_EMPTY_PATH, &attr, sizeof attr) != 0) {
    return fail_errno("making read-only", name);
  }
  return {};
}

Result<void> make_mounts_private() {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    return fail_errno("making private the mounts below", "/");
  }
  return {};
}

Result<void> pivot_into(int root) {
  // pivot_root(2), "pivot_root(".", ".")": the old root ends up on top of the new one and is let
  // go.
  if (::fchdir(root) != 0) return fail_errno("entering", "the jail's root");
  if (::syscall(SYS_pivot_root, ".", ".") != 0) return fail_errno("pivoting to", "the jail's root");
  if (::umount2(".", MNT_DETACH) != 0) return fail_errno("letting go of", "the host's root");
  if (::chdir("/") != 0) return fail_errno("entering", "/");
  return {};
}

}  // namespace evojail
