// Mounts and roots.

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe.hpp"

// Not from <sys/mount.h>: glibc's and the kernel's header exclude each other.
extern "C" int mount(const char*, const char*, const char*, unsigned long, const void*);
extern "C" int umount2(const char*, int);

namespace evojail::attack {
namespace {

constexpr int kExpire = 4;  // MNT_EXPIRE

Outcome mount_tmpfs() { return outcome_of(::mount("none", "/tmp", "tmpfs", 0, nullptr)); }

Outcome mount_proc() { return outcome_of(::mount("proc", "/tmp", "proc", 0, nullptr)); }

Outcome mount_cgroup() { return outcome_of(::mount("none", "/tmp", "cgroup2", 0, nullptr)); }

Outcome bind() { return outcome_of(::mount("/usr", "/tmp", nullptr, MS_BIND, nullptr)); }

Outcome remount_root() {
  return outcome_of(::mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND, nullptr));
}

Outcome make_shared() { return outcome_of(::mount(nullptr, "/", nullptr, MS_SHARED, nullptr)); }

/// The root is in use and stays: EINVAL for whoever may unmount, EPERM for whoever may not.
Outcome unmount() { return outcome_of(::umount2("/", kExpire)); }

Outcome open_file_system() { return outcome_of_fd(::syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC)); }

Outcome pick_file_system() {
  return outcome_of_fd(::syscall(SYS_fspick, AT_FDCWD, "/", FSPICK_CLOEXEC));
}

Outcome clone_tree() {
  return outcome_of_fd(::syscall(SYS_open_tree, AT_FDCWD, "/tmp", OPEN_TREE_CLONE));
}

/// The root onto itself is refused to everybody, with EINVAL to whoever may mount.
Outcome move_a_mount() {
  return outcome_of(::syscall(SYS_move_mount, AT_FDCWD, "/", AT_FDCWD, "/", 0));
}

/// Nothing is changed; the right to mount is asked for all the same.
Outcome set_mount_attributes() {
  mount_attr attributes{};
  return outcome_of(
      ::syscall(SYS_mount_setattr, AT_FDCWD, "/tmp", 0, &attributes, sizeof attributes));
}

/// Not a mount point: EINVAL for whoever may.
Outcome pivot() { return outcome_of(::syscall(SYS_pivot_root, "/usr", "/usr")); }

/// The way out of a bare chroot: a second one below, while the working directory stays above.
Outcome leave_chroot() {
  const std::string inner = data_directory() + "/inner";
  ::mkdir(inner.c_str(), 0700);
  if (::chdir(data_directory().c_str()) != 0) return errno;
  if (::chroot(inner.c_str()) != 0) return errno;
  for (int level = 0; level < 64; ++level) {
    if (::chdir("..") != 0) return errno;
  }
  if (::chroot(".") != 0) return errno;
  return outcome_of_fd(::open("/etc/shadow", O_RDONLY | O_CLOEXEC));
}

constexpr Probe::Place kSession = Probe::Place::session;
constexpr Probe kProbes[] = {
    {"mount-tmpfs", kSession, mount_tmpfs},
    {"mount-proc", kSession, mount_proc},
    {"mount-cgroup", kSession, mount_cgroup},
    {"mount-bind", kSession, bind},
    {"mount-remount", kSession, remount_root},
    {"mount-share", kSession, make_shared},
    {"mount-unmount", kSession, unmount},
    {"mount-fsopen", kSession, open_file_system},
    {"mount-fspick", kSession, pick_file_system},
    {"mount-open-tree", kSession, clone_tree},
    {"mount-move", kSession, move_a_mount},
    {"mount-setattr", kSession, set_mount_attributes},
    {"mount-pivot", kSession, pivot},
    {"chroot-escape", kSession, leave_chroot},
};

}  // namespace

std::span<const Probe> mount_probes() { return kProbes; }

}  // namespace evojail::attack
