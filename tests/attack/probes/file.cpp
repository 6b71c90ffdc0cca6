// What a client may do to its own files, and what it may not: the file system is the host's.

#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/fscrypt.h>
#include <linux/fsverity.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "probe.hpp"

namespace evojail::attack {
namespace {

constexpr char kTmpfs[] = "/run";  // in a jail and in the tests' world

/// A copy of this program in the data directory, with the setuid bit.
std::string push_program(const char* name) {
  const int from = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  const int to = make_file(name, 0);
  char buffer[1 << 16];
  ssize_t length = 0;
  while ((length = ::read(from, buffer, sizeof buffer)) > 0) {
    if (::write(to, buffer, static_cast<std::size_t>(length)) != length) return {};
  }
  ::fchmod(to, 04755);
  ::close(to);
  return data_directory() + "/" + name;
}

/// 0 if the program ran and said so; what execve(2) said; or EACCES if it ran and failed.
Outcome run(const char* program, const char* first, const char* second) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(::open("/dev/null", O_WRONLY), 1);
    ::dup2(1, 2);
    ::execl(program, program, first, second, nullptr);
    ::_exit(errno);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status)) return EINTR;
  return WEXITSTATUS(status) == 127 ? EACCES : WEXITSTATUS(status);
}

Outcome run_pushed() { return run(push_program("pushed").c_str(), "list", nullptr); }

/// The loader of the base image maps the program instead of the kernel.
Outcome run_by_loader() {
#ifdef __x86_64__
  constexpr char loader[] = "/lib64/ld-linux-x86-64.so.2";
#else
  constexpr char loader[] = "/lib/ld-linux-aarch64.so.1";
#endif
  return run(loader, push_program("loaded").c_str(), "list");
}

Outcome lease() {
  const int fd = make_file("leased");
  if (fd < 0) return errno;
  return outcome_of(::fcntl(fd, F_SETLEASE, F_WRLCK));
}

Outcome notify_of_changes() {
  const int fd = ::open(data_directory().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return outcome_of(::fcntl(fd, F_NOTIFY, DN_MODIFY));
}

Outcome hint_lifetime() {
  const int fd = make_file("hinted");
  if (fd < 0) return errno;
  std::uint64_t hint = 0;
  return outcome_of(::fcntl(fd, F_SET_RW_HINT, &hint));
}

Outcome set_flag(unsigned long flag) {
  const int fd = make_file("flagged");
  if (fd < 0) return errno;
  long flags = 0;
  if (::ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0) return errno;
  const long wanted = flags | static_cast<long>(flag);
  const Outcome outcome = outcome_of(::ioctl(fd, FS_IOC_SETFLAGS, &wanted));
  ::ioctl(fd, FS_IOC_SETFLAGS, &flags);
  return outcome;
}

/// tmpfs has nothing to freeze: EOPNOTSUPP for whoever may.
Outcome freeze() {
  const int fd = ::open(kTmpfs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return outcome_of(::ioctl(fd, FIFREEZE, 0));
}

/// The directory on the backup volume.
int open_volume() {
  const char* given = std::getenv("ATK_VOLUME");
  const std::string path = given != nullptr ? given : data_directory();
  return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

Outcome trim() {
  const int fd = open_volume();
  fstrim_range range{0, 1 << 20, ~0ULL >> 1};  // no stretch is that long: nothing is trimmed
  return outcome_of(::ioctl(fd, FITRIM, &range));
}

/// An ioctl of a file of the attacker's own.
template <class T>
Outcome ask_file(unsigned long request, T argument) {
  const int fd = make_file("asked");
  if (fd < 0) return errno;
  return outcome_of(::ioctl(fd, request, &argument));
}

/// The project, by which quotas count.
Outcome set_project() {
  const int fd = make_file("project");
  if (fd < 0) return errno;
  fsxattr attributes{};
  ::ioctl(fd, FS_IOC_FSGETXATTR, &attributes);
  return outcome_of(::ioctl(fd, FS_IOC_FSSETXATTR, &attributes));
}

Outcome clone_range() {
  const int from = make_file("cloned");
  file_clone_range range{};
  range.src_fd = from;
  return ask_file(FICLONERANGE, range);
}

Outcome deduplicate() {
  const int from = make_file("from");
  alignas(file_dedupe_range) unsigned char
      memory[sizeof(file_dedupe_range) + sizeof(file_dedupe_range_info)] = {};
  auto* const range = reinterpret_cast<file_dedupe_range*>(memory);
  range->src_length = 4096;
  range->dest_count = 1;
  range->info[0].dest_fd = make_file("to");
  return outcome_of(::ioctl(from, FIDEDUPERANGE, range));
}

/// A file that nobody can write to any more.
Outcome enable_verity() {
  fsverity_enable_arg argument{};
  argument.version = 1;
  argument.hash_algorithm = FS_VERITY_HASH_ALG_SHA256;
  argument.block_size = 4096;
  return ask_file(FS_IOC_ENABLE_VERITY, argument);
}

/// Names and contents that only whoever has the key can read.
Outcome encrypt() { return ask_file(FS_IOC_SET_ENCRYPTION_POLICY, fscrypt_policy_v1{}); }

/// Where on the disk a file lies.
Outcome map_extents() {
  const int fd = make_file("mapped");
  if (fd < 0) return errno;
  fiemap map{};
  map.fm_length = ~0ULL;
  return outcome_of(::ioctl(fd, FS_IOC_FIEMAP, &map));
}

template <class T>
Outcome ask_volume(unsigned long request, T argument = {}) {
  return outcome_of(::ioctl(open_volume(), request, &argument));
}

Outcome disable_quotas() {
  btrfs_ioctl_quota_ctl_args arguments{};
  arguments.cmd = BTRFS_QUOTA_CTL_DISABLE;
  return ask_volume(BTRFS_IOC_QUOTA_CTL, arguments);
}

btrfs_ioctl_vol_args named(const char* name) {
  btrfs_ioctl_vol_args arguments{};
  std::strcpy(arguments.name, name);
  return arguments;
}

Outcome make_subvolume() {
  const int fd = open_volume();
  btrfs_ioctl_vol_args arguments = named("subvolume");
  return outcome_of(::ioctl(fd, BTRFS_IOC_SUBVOL_CREATE, &arguments));
}

/// Of the subvolume, where the attempt before this has made it.
Outcome snapshot() {
  const int fd = open_volume();
  btrfs_ioctl_vol_args arguments = named("snapshot");
  const int subvolume = ::openat(fd, "subvolume", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  arguments.fd = subvolume < 0 ? fd : subvolume;
  return outcome_of(::ioctl(fd, BTRFS_IOC_SNAP_CREATE, &arguments));
}

Outcome read_tree() {
  const int fd = open_volume();
  btrfs_ioctl_search_args arguments{};
  arguments.key.tree_id = 1;
  arguments.key.max_objectid = arguments.key.max_offset = arguments.key.max_transid = ~0ULL;
  arguments.key.max_type = ~0U;
  arguments.key.nr_items = 16;
  return outcome_of(::ioctl(fd, BTRFS_IOC_TREE_SEARCH, &arguments));
}

Outcome trusted_attribute() {
  const int fd = make_file("attributed");
  if (fd < 0) return errno;
  return outcome_of(::fsetxattr(fd, "trusted.overlay.opaque", "y", 1, 0));
}

/// name_to_handle_at(2) writes behind the structure.
class Handle {
 public:
  Outcome take() {
    get()->handle_bytes = MAX_HANDLE_SZ;
    int mount = 0;
    return outcome_of(::name_to_handle_at(AT_FDCWD, data_directory().c_str(), get(), &mount, 0));
  }

  /// One that nobody gave out: a file system's root directory is often inode 2.
  void guess() {
    get()->handle_type = 1;  // FILEID_INO32_GEN
    get()->handle_bytes = 8;
    memory_[sizeof(file_handle)] = 2;
  }

  file_handle* get() { return reinterpret_cast<file_handle*>(memory_); }

 private:
  alignas(file_handle) unsigned char memory_[sizeof(file_handle) + MAX_HANDLE_SZ] = {};
};

Outcome take_handle() { return Handle().take(); }

Outcome open_by_handle() {
  Handle handle;
  if (handle.take() != 0) handle.guess();
  const int mount = ::open(data_directory().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return outcome_of_fd(::open_by_handle_at(mount, handle.get(), O_RDONLY | O_CLOEXEC));
}

constexpr Probe::Place kSession = Probe::Place::session;
constexpr Probe kProbes[] = {
    {"setuid-run", kSession, run_pushed},
    {"loader-run", kSession, run_by_loader},
    {"lease", kSession, lease},
    {"directory-notify", kSession, notify_of_changes},
    {"file-hint", kSession, hint_lifetime},
    {"file-immutable", kSession, [] { return set_flag(FS_IMMUTABLE_FL); }},
    {"file-append-only", kSession, [] { return set_flag(FS_APPEND_FL); }},
    {"file-flags", kSession, [] { return set_flag(FS_NOATIME_FL); }},
    {"file-project", kSession, set_project},
    {"file-clone-range", kSession, clone_range},
    {"file-deduplicate", kSession, deduplicate},
    {"file-verity", kSession, enable_verity},
    {"file-encryption", kSession, encrypt},
    {"file-extents", kSession, map_extents},
    {"volume-freeze", kSession, freeze},
    {"volume-trim", kSession, trim},
    {"btrfs-subvolume", kSession, make_subvolume},
    {"btrfs-snapshot", kSession, snapshot},
    {"btrfs-tree", kSession, read_tree},
    {"btrfs-defragment", kSession,
     [] { return ask_volume<btrfs_ioctl_defrag_range_args>(BTRFS_IOC_DEFRAG_RANGE); }},
    {"btrfs-commit", kSession, [] { return ask_volume<std::uint64_t>(BTRFS_IOC_START_SYNC); }},
    {"btrfs-information", kSession,
     [] { return ask_volume<btrfs_ioctl_fs_info_args>(BTRFS_IOC_FS_INFO); }},
    {"btrfs-subvolume-facts", kSession,
     [] { return ask_volume<btrfs_ioctl_get_subvol_info_args>(BTRFS_IOC_GET_SUBVOL_INFO); }},
    {"btrfs-read-only", kSession,
     [] { return ask_volume<std::uint64_t>(BTRFS_IOC_SUBVOL_SETFLAGS); }},
    {"btrfs-default", kSession,
     [] { return ask_volume<std::uint64_t>(BTRFS_IOC_DEFAULT_SUBVOL, 5); }},
    {"btrfs-quota", kSession, disable_quotas},
    {"btrfs-balance", kSession,
     [] { return outcome_of(::ioctl(open_volume(), BTRFS_IOC_BALANCE_CTL, 1)); }},
    {"xattr-trusted", kSession, trusted_attribute},
    {"handle-take", kSession, take_handle},
    {"handle-open", kSession, open_by_handle},
};

}  // namespace

std::span<const Probe> file_probes() { return kProbes; }

}  // namespace evojail::attack
