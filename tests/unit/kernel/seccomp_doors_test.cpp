// The doors that a profile must shut, one by one: the compiled filter is run as a pure function
// over processor, call and arguments. Each door has a row that must pass beside those that must
// not.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/ioctl.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/tiocl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "support/bpf_evaluator.hpp"
#include "support/profiles.hpp"

namespace evojail {
namespace {

using test::SystemCall;

constexpr std::uint64_t kHigh = 0xdeadbeef'00000000;  // bits the kernel drops from an int
constexpr std::uint64_t kMinusOne = 0xffffffff;
constexpr std::uint64_t kMinusOne64 = ~std::uint64_t{0};
constexpr std::uint64_t kPointer = 0x7ffc'1234'5678;

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t deny(int error = EPERM) {
  return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error);
}

using Arguments = std::array<std::uint64_t, 6>;

struct Row {
  const char* call;
  Arguments arguments;
  std::uint32_t answer;
};

struct Door {
  const char* name;
  std::vector<Row> rows;
};

void PrintTo(const Door& door, std::ostream* out) { *out << door.name; }

std::vector<Door> doors() {
  return {
      {"ConnectAgain",
       {{"connect", {0, kPointer, 16}, deny()},
        {"bind", {0, kPointer, 16}, deny()},
        {"listen", {0, 16}, deny()},
        {"accept", {0, 0, 0}, deny()},
        {"accept4", {0, 0, 0, 0}, deny()},
        {"shutdown", {0, SHUT_RD}, deny()},
        {"getpeername", {0, kPointer, kPointer}, kAllow},
        {"read", {0, kPointer, 1}, kAllow}}},
      {"Fastopen",
       {{"sendto", {0, kPointer, 1, 0, 0, 0}, kAllow},
        {"sendto", {0, kPointer, 1, MSG_NOSIGNAL, 0, 0}, kAllow},
        {"sendto", {0, kPointer, 1, 0, kPointer, 16}, deny()},
        {"sendto", {0, kPointer, 1, 0, kHigh, 16}, deny()},
        {"sendto", {0, kPointer, 1, MSG_FASTOPEN, kPointer, 16}, deny()},
        {"sendto", {0, kPointer, 1, MSG_FASTOPEN, 0, 0}, deny()},
        {"sendto", {0, kPointer, 1, kHigh | MSG_FASTOPEN | MSG_NOSIGNAL, 0, 0}, deny()},
        {"sendmsg", {0, kPointer, 0}, kAllow},
        {"sendmsg", {0, kPointer, MSG_FASTOPEN}, deny()},
        {"sendmsg", {0, kPointer, kHigh | MSG_FASTOPEN}, deny()},
        {"sendmmsg", {0, kPointer, 1, 0}, deny()}}},
      {"IoUring",
       {{"io_uring_setup", {1, kPointer}, deny(ENOSYS)},
        {"io_uring_enter", {3, 1, 1, 0, 0, 0}, deny(ENOSYS)},
        {"io_uring_register", {3, 0, 0, 0}, deny(ENOSYS)},
        {"ppoll", {kPointer, 1, 0, 0, 8}, kAllow}}},
      {"SocketFamilies",
       {{"socket", {AF_INET, SOCK_STREAM, 0}, deny(EAFNOSUPPORT)},
        {"socket", {AF_INET6, SOCK_STREAM, 0}, deny(EAFNOSUPPORT)},
        {"socket", {AF_UNIX, SOCK_STREAM, 0}, deny(EAFNOSUPPORT)},
        {"socket", {AF_NETLINK, SOCK_RAW, 0}, deny(EAFNOSUPPORT)},
        {"socket", {AF_PACKET, SOCK_RAW, 0}, deny(EAFNOSUPPORT)},
        {"socket", {AF_ALG, SOCK_SEQPACKET, 0}, deny(EAFNOSUPPORT)},
        {"socket", {AF_VSOCK, SOCK_STREAM, 0}, deny(EAFNOSUPPORT)},
        {"socket", {AF_XDP, SOCK_RAW, 0}, deny(EAFNOSUPPORT)},
        {"socketpair", {AF_UNIX, SOCK_STREAM, 0, kPointer}, kAllow},
        {"socketpair", {kHigh | AF_UNIX, SOCK_STREAM, 0, kPointer}, kAllow},
        {"socketpair", {AF_INET, SOCK_STREAM, 0, kPointer}, deny()},
        {"socketpair", {AF_TIPC, SOCK_STREAM, 0, kPointer}, deny()}}},
      {"SocketOptions",
       {{"setsockopt", {0, IPPROTO_TCP, TCP_NODELAY, kPointer, 4}, kAllow},
        {"setsockopt", {0, SOL_SOCKET, SO_KEEPALIVE, kPointer, 4}, kAllow},
        {"setsockopt", {0, IPPROTO_IP, IP_TOS, kPointer, 4}, kAllow},
        {"setsockopt", {0, IPPROTO_IPV6, IPV6_TCLASS, kPointer, 4}, kAllow},
        {"setsockopt", {0, SOL_SOCKET, SO_BINDTODEVICE, kPointer, 4}, deny()},
        {"setsockopt", {0, SOL_SOCKET, SO_MARK, kPointer, 4}, deny()},
        {"setsockopt", {0, IPPROTO_TCP, TCP_REPAIR, kPointer, 4}, deny()},
        {"setsockopt", {0, IPPROTO_TCP, TCP_ULP, kPointer, 4}, deny()},
        {"setsockopt", {0, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, kPointer, 4}, deny()},
        {"setsockopt", {0, IPPROTO_IP, IP_OPTIONS, kPointer, 4}, deny()},
        {"setsockopt", {0, kHigh | IPPROTO_IP, kHigh | IP_OPTIONS, kPointer, 4}, deny()},
        {"getsockopt", {0, IPPROTO_IP, IP_OPTIONS, kPointer, kPointer}, kAllow},
        {"getsockopt", {0, IPPROTO_IP, 64 /* IPT_SO_GET_INFO */, kPointer, kPointer}, deny()}}},
      {"SocketIoctls",
       {{"ioctl", {0, TCGETS, kPointer}, kAllow},
        {"ioctl", {0, FIONREAD, kPointer}, deny()},
        {"ioctl", {0, 0x8912 /* SIOCGIFCONF */, kPointer}, deny()},
        {"ioctl", {0, 0x8927 /* SIOCGIFHWADDR */, kPointer}, deny()},
        {"ioctl", {0, 0x8922 /* SIOCSIFMTU */, kPointer}, deny()},
        {"ioctl", {0, 0x894c /* SIOCGSKNS */, kPointer}, deny()}}},
      {"TerminalInjection",
       {{"ioctl", {0, TCGETS, kPointer}, kAllow},
        {"ioctl", {0, kHigh | TCGETS, kPointer}, kAllow},
        {"ioctl", {0, TIOCSTI, kPointer}, deny()},
        {"ioctl", {0, kHigh | TIOCSTI, kPointer}, deny()},
        {"ioctl", {0, 0x1'0000'0000 | TIOCSTI, kPointer}, deny()},
        {"ioctl", {0, TIOCLINUX, kPointer}, deny()},
        {"ioctl", {0, kHigh | TIOCLINUX, kPointer}, deny()},
        {"ioctl", {0, TIOCSETD, kPointer}, deny()},
        {"ioctl", {0, TIOCCONS, 0}, deny()}}},
      {"Terminals",
       {{"ioctl", {0, TCSETS, kPointer}, kAllow},
        {"ioctl", {0, TCSETSW, kPointer}, kAllow},
        {"ioctl", {0, TCSETSF, kPointer}, kAllow},
        {"ioctl", {0, TIOCSCTTY, 0}, kAllow},
        {"ioctl", {0, TIOCNOTTY, 0}, deny()},
        {"ioctl", {0, TIOCGPGRP, kPointer}, kAllow},
        {"ioctl", {0, TIOCSPGRP, kPointer}, kAllow},
        {"ioctl", {0, TIOCGWINSZ, kPointer}, kAllow},
        {"ioctl", {0, TIOCSWINSZ, kPointer}, kAllow},
        {"ioctl", {0, TIOCGPTN, kPointer}, kAllow},
        {"ioctl", {0, TIOCSPTLCK, kPointer}, kAllow},
        {"ioctl", {0, TIOCGPTPEER, kPointer}, kAllow},
        {"ioctl", {0, TIOCPKT, kPointer}, deny()}}},
      {"FileSystemIoctls",
       {{"ioctl", {3, FICLONE, 4}, kAllow},
        {"ioctl", {3, _IOW(0x94, 14, char[4096]), kPointer}, deny()},  // BTRFS_IOC_SUBVOL_CREATE
        {"ioctl", {3, _IOW(0x94, 24, char[4096]), kPointer}, deny()},  // …_SUBVOL_CREATE_V2
        {"ioctl", {3, _IOW(0x94, 1, char[4096]), kPointer}, deny()},   // …_SNAP_CREATE
        {"ioctl", {3, _IOW(0x94, 23, char[4096]), kPointer}, deny()},  // …_SNAP_CREATE_V2
        {"ioctl", {3, _IOW(0x94, 15, char[4096]), kPointer}, deny()},  // …_SNAP_DESTROY
        {"ioctl", {3, FICLONERANGE, kPointer}, deny()},
        {"ioctl", {3, FIDEDUPERANGE, kPointer}, deny()},
        {"ioctl", {3, FS_IOC_SETFLAGS, kPointer}, deny()},
        {"ioctl", {3, FS_IOC_FSSETXATTR, kPointer}, deny()},
        {"ioctl", {3, FIFREEZE, 0}, deny()},
        {"ioctl", {3, FITRIM, kPointer}, deny()}}},
      {"Leases",
       {{"fcntl", {3, F_GETFL, 0}, kAllow},
        {"fcntl", {3, F_SETFD, FD_CLOEXEC}, kAllow},
        {"fcntl", {3, F_DUPFD_CLOEXEC, 0}, kAllow},
        {"fcntl", {3, F_GETLK, kPointer}, deny(ENOLCK)},
        {"fcntl", {3, F_SETLK, kPointer}, deny(ENOLCK)},
        {"fcntl", {3, F_SETLKW, kPointer}, deny(ENOLCK)},
        {"fcntl", {3, kHigh | F_SETLK, kPointer}, deny(ENOLCK)},
        {"fcntl", {3, F_OFD_SETLK, kPointer}, deny()},
        {"fallocate", {3, 3 /* PUNCH_HOLE, KEEP_SIZE */, 0, 4096}, kAllow},
        {"fallocate", {3, 0, 0, 4096}, deny()},
        {"fallocate", {3, 1 /* KEEP_SIZE */, 0, 4096}, deny()},
        {"fallocate", {3, kHigh, 0, 4096}, deny()},
        {"fcntl", {3, F_SETLEASE, F_WRLCK}, deny()},
        {"fcntl", {3, kHigh | F_SETLEASE, F_WRLCK}, deny()},
        {"fcntl", {3, F_NOTIFY, 1}, deny()},
        {"fcntl", {3, F_SETOWN, 1}, deny()},
        {"fcntl", {3, F_SETSIG, 9}, deny()},
        {"fcntl", {3, F_SETPIPE_SZ, 1 << 20}, deny()},
        {"fcntl", {3, F_ADD_SEALS, 1}, deny()}}},
      {"WhatIsShared",
       {{"fadvise64", {3, 0, 0, POSIX_FADV_SEQUENTIAL}, kAllow},
        {"fadvise64", {3, 0, 0, POSIX_FADV_WILLNEED}, kAllow},
        {"fadvise64", {3, 0, 0, POSIX_FADV_DONTNEED}, deny()},
        {"fadvise64", {3, 0, 0, kHigh | POSIX_FADV_DONTNEED}, deny()},
        {"madvise", {kPointer, 4096, MADV_DONTNEED}, kAllow},
        {"madvise", {kPointer, 4096, MADV_FREE}, kAllow},
        {"madvise", {kPointer, 4096, MADV_HUGEPAGE}, kAllow},
        {"madvise", {kPointer, 4096, MADV_DONTDUMP}, kAllow},
        {"madvise", {kPointer, 4096, MADV_WIPEONFORK}, kAllow},
        {"madvise", {kPointer, 4096, MADV_MERGEABLE}, deny()},
        {"madvise", {kPointer, 4096, kHigh | MADV_MERGEABLE}, deny()},
        {"madvise", {kPointer, 4096, MADV_REMOVE}, deny()},
        {"madvise", {kPointer, 4096, MADV_COLD}, deny()},
        {"madvise", {kPointer, 4096, MADV_PAGEOUT}, deny()},
        {"madvise", {kPointer, 4096, MADV_HWPOISON}, deny()},
        {"setpriority", {PRIO_PROCESS, 0, 19}, kAllow},
        {"setpriority", {PRIO_PROCESS, 1, 19}, deny()},
        {"setpriority", {PRIO_PROCESS, kHigh | 1, 19}, deny()},
        {"setpriority", {PRIO_PGRP, 0, 19}, deny()},
        {"setpriority", {PRIO_USER, 0, 19}, deny()},
        {"ioprio_set", {1 /* IOPRIO_WHO_PROCESS */, 0, 0}, kAllow},
        {"ioprio_set", {1, 1, 0}, deny()},
        {"ioprio_set", {3 /* IOPRIO_WHO_USER */, 0, 0}, deny()}}},
      {"Futexes",
       {{"futex", {kPointer, FUTEX_WAIT_PRIVATE, 0, 0}, kAllow},
        {"futex", {kPointer, FUTEX_WAKE, 1}, kAllow},
        {"futex", {kPointer, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, 0}, kAllow},
        {"futex", {kPointer, FUTEX_CMP_REQUEUE_PRIVATE, 1, 1}, kAllow},
        {"futex", {kPointer, FUTEX_WAKE_OP_PRIVATE, 1, 1}, kAllow},
        {"futex", {kPointer, FUTEX_LOCK_PI, 0, 0}, deny()},
        {"futex", {kPointer, FUTEX_LOCK_PI_PRIVATE, 0, 0}, deny()},
        {"futex", {kPointer, kHigh | FUTEX_LOCK_PI_PRIVATE, 0, 0}, deny()},
        {"futex", {kPointer, FUTEX_UNLOCK_PI, 0, 0}, deny()},
        {"futex", {kPointer, FUTEX_TRYLOCK_PI, 0, 0}, deny()},
        {"futex", {kPointer, FUTEX_LOCK_PI2, 0, 0}, deny()},
        {"futex", {kPointer, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, 0}, deny()},
        {"futex", {kPointer, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, 1}, deny()}}},
      {"Namespaces",
       {{"clone", {SIGCHLD, 0}, kAllow},
        {"clone", {CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, 0}, kAllow},
        {"clone", {CLONE_NEWUSER, 0}, deny()},
        {"clone", {CLONE_NEWNS, 0}, deny()},
        {"clone", {CLONE_NEWPID, 0}, deny()},
        {"clone", {CLONE_NEWNET, 0}, deny()},
        {"clone", {CLONE_NEWIPC, 0}, deny()},
        {"clone", {CLONE_NEWUTS, 0}, deny()},
        {"clone", {CLONE_NEWCGROUP, 0}, deny()},
        {"clone", {kHigh | CLONE_NEWUSER | SIGCHLD, 0}, deny()},
        {"clone3", {kPointer, 88}, deny(ENOSYS)},
        {"unshare", {CLONE_NEWUSER}, deny()},
        {"unshare", {0}, deny()},
        {"setns", {3, 0}, deny()}}},
      {"MountApi",
       {{"mount", {0, 0, 0, 0, 0}, deny()},
        {"umount2", {0, 0}, deny()},
        {"pivot_root", {0, 0}, deny()},
        {"fsopen", {0, 0}, deny()},
        {"fsconfig", {3, 0, 0, 0, 0}, deny()},
        {"fsmount", {3, 0, 0}, deny()},
        {"fspick", {3, 0, 0}, deny()},
        {"open_tree", {3, 0, 0}, deny()},
        {"move_mount", {3, 0, 4, 0, 0}, deny()},
        {"mount_setattr", {3, 0, 0, 0, 0}, deny()},
        {"chdir", {kPointer}, kAllow},
        {"chroot", {kPointer}, kAllow}}},
      {"OtherProcesses",
       {{"ptrace", {0, 0, 0, 0}, deny()},
        {"process_vm_readv", {1, 0, 0, 0, 0, 0}, deny()},
        {"process_vm_writev", {1, 0, 0, 0, 0, 0}, deny()},
        {"kcmp", {1, 2, 0, 0, 0}, deny()},
        {"pidfd_open", {1, 0}, deny()},
        {"pidfd_getfd", {3, 0, 0}, deny()},
        {"pidfd_send_signal", {3, 9, 0, 0}, deny()},
        {"prlimit64", {0, 7, 0, kPointer}, kAllow},
        {"prlimit64", {kHigh, 7, 0, kPointer}, kAllow},
        {"prlimit64", {1, 7, kPointer, 0}, deny()},
        {"kill", {2, 15}, kAllow}}},
      {"YoungInterfaces",
       {{"bpf", {0, 0, 0}, deny()},
        {"perf_event_open", {0, 0, 0, 0, 0}, deny()},
        {"userfaultfd", {1}, deny()},
        {"memfd_secret", {0}, deny()},
        {"memfd_create", {kPointer, 0}, deny()},
        {"name_to_handle_at", {3, 0, 0, 0, 0}, deny()},
        {"open_by_handle_at", {3, 0, 0}, deny()},
        {"fanotify_init", {0, 0}, deny()},
        {"fanotify_mark", {3, 0, 0, 0, 0}, deny()},
        {"openat", {3, kPointer, 0, 0}, kAllow}}},
      {"Keyrings",
       {{"keyctl", {0, 0, 0}, deny()},
        {"add_key", {0, 0, 0, 0, 0}, deny()},
        {"request_key", {0, 0, 0, 0}, deny()},
        {"getrandom", {kPointer, 16, 0}, kAllow}}},
      {"SharedPages",
       {{"splice", {3, 0, 4, 0, 1, 0}, deny(EINVAL)},
        {"vmsplice", {3, 0, 1, 0}, deny()},
        {"tee", {3, 4, 1, 0}, deny()},
        {"copy_file_range", {3, 0, 4, 0, 1, 0}, kAllow}}},
      {"SystemV",
       {{"shmget", {0, 4096, 0600}, deny()},
        {"shmat", {0, 0, 0}, deny()},
        {"msgget", {0, 0600}, deny()},
        {"msgsnd", {0, 0, 0, 0}, deny()},
        {"semget", {0, 1, 0600}, deny()},
        {"semop", {0, 0, 0}, deny()},
        {"mq_open", {kPointer, 0, 0, 0}, deny()},
        {"pipe2", {kPointer, 0}, kAllow}}},
      {"DeviceNodes",
       {{"mknodat", {3, kPointer, S_IFIFO | 0600, 0}, kAllow},
        {"mknodat", {3, kPointer, S_IFSOCK | 0600, 0}, kAllow},
        {"mknodat", {3, kPointer, S_IFREG | 0600, 0}, kAllow},
        {"mknodat", {3, kPointer, 0600, 0}, kAllow},
        {"mknodat", {3, kPointer, S_IFCHR | 0600, 0}, deny()},
        {"mknodat", {3, kPointer, S_IFBLK | 0600, 0x700}, deny()},
        {"mknodat", {3, kPointer, 0x70000 | S_IFCHR | 0600, 0}, deny()},
        {"mknodat", {3, kPointer, kHigh | S_IFBLK | 0600, 0}, deny()},
        {"mknod", {kPointer, S_IFIFO | 0600, 0}, kAllow},
        {"mknod", {kPointer, S_IFSOCK | 0600, 0}, kAllow},
        {"mknod", {kPointer, S_IFREG | 0600, 0}, kAllow},
        {"mknod", {kPointer, S_IFCHR | 0600, 0x103}, deny()},
        {"mknod", {kPointer, kHigh | S_IFBLK | 0600, 0}, deny()},
        {"renameat2", {3, kPointer, 3, kPointer, RENAME_NOREPLACE}, kAllow},
        {"renameat2", {3, kPointer, 3, kPointer, RENAME_EXCHANGE}, kAllow},
        {"renameat2", {3, kPointer, 3, kPointer, RENAME_WHITEOUT}, deny()}}},
      {"Identities",
       {{"setuid", {0}, kAllow},
        {"setuid", {65535}, kAllow},
        {"setuid", {65536}, deny()},
        {"setuid", {1000000500}, deny()},
        {"setuid", {4294967294}, deny()},
        {"setgid", {65536}, deny()},
        {"setgid", {100}, kAllow},
        {"setresuid", {0, 0, 0}, kAllow},
        {"setresuid", {kMinusOne, 0, kMinusOne}, kAllow},
        {"setresuid", {kMinusOne64, 33, kMinusOne64}, kAllow},
        {"setresuid", {kMinusOne, 70000, kMinusOne}, deny()},
        {"setresuid", {70000, 0, 0}, deny()},
        {"setresuid", {0, 0, 70000}, deny()},
        {"setresuid", {0, kHigh | 70000, 0}, deny()},
        {"setresgid", {100, 100, 100}, kAllow},
        {"setresgid", {100, 100, 70000}, deny()},
        {"setreuid", {kMinusOne, 33}, deny()},
        {"setreuid", {33, 70000}, deny()},
        {"setregid", {70000, 33}, deny()},
        {"setfsuid", {33}, deny()},
        {"setfsgid", {33}, deny()},
        {"capset", {kPointer, kPointer}, kAllow},
        {"setgroups", {1, kPointer}, kAllow}}},
      {"Prctl",
       {{"prctl", {PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0}, kAllow},
        {"prctl", {PR_SET_SECCOMP, SECCOMP_MODE_FILTER, kPointer, 0, 0}, kAllow},
        {"prctl", {PR_SET_DUMPABLE, 0, 0, 0, 0}, kAllow},
        {"prctl", {PR_SET_DUMPABLE, 1, 0, 0, 0}, deny()},
        {"prctl", {PR_SET_MM, 1, 0, 0, 0}, deny()},
        {"prctl", {kHigh | PR_SET_MM, 1, 0, 0, 0}, deny()},
        {"prctl", {PR_SET_PTRACER, kMinusOne64, 0, 0, 0}, deny()},
        {"prctl", {PR_SET_SECUREBITS, 0, 0, 0, 0}, deny()},
        {"prctl", {PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0}, deny()},
        {"prctl", {PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 1, 0, 0}, deny()},
        {"seccomp",
         {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, kPointer},
         deny()}}},
      {"Personality",
       {{"personality", {PER_LINUX}, kAllow},
        {"personality", {kMinusOne}, kAllow},
        {"personality", {kMinusOne64}, kAllow},
        {"personality", {ADDR_NO_RANDOMIZE}, deny()},
        {"personality", {READ_IMPLIES_EXEC}, deny()},
        {"personality", {kHigh | READ_IMPLIES_EXEC}, deny()}}},
      {"WriteThenExecute",
       {{"mmap", {0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, 0, 0}, kAllow},
        {"mmap", {0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, 3, 0}, kAllow},
        {"mmap", {0, 4096, PROT_NONE, MAP_PRIVATE, 3, 0}, kAllow},
        {"mmap", {0, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE, 3, 0}, deny()},
        {"mmap", {0, 4096, kHigh | 7, MAP_PRIVATE, 3, 0}, deny()},
        {"mprotect", {0x1000, 4096, PROT_READ}, kAllow},
        {"mprotect", {0x1000, 4096, PROT_READ | PROT_WRITE}, kAllow},
        {"mprotect", {0x1000, 4096, PROT_READ | PROT_EXEC}, deny()},
        {"mprotect", {0x1000, 4096, kHigh | PROT_EXEC}, deny()},
        {"pkey_mprotect", {0x1000, 4096, PROT_EXEC, 0}, deny()}}},
      {"Clock",
       {{"clock_settime", {0, kPointer}, deny()},
        {"settimeofday", {kPointer, 0}, deny()},
        {"adjtimex", {kPointer}, deny()},
        {"clock_adjtime", {0, kPointer}, deny()},
        {"clock_gettime", {0, kPointer}, kAllow}}},
      {"HostAdministration",
       {{"init_module", {0, 0, 0}, deny()},
        {"finit_module", {3, 0, 0}, deny()},
        {"kexec_load", {0, 0, 0, 0}, deny()},
        {"reboot", {0, 0, 0, 0}, deny()},
        {"swapon", {0, 0}, deny()},
        {"sethostname", {0, 0}, deny()},
        {"syslog", {3, 0, 0}, deny()},
        {"quotactl", {0, 0, 0, 0}, deny()},
        {"modify_ldt", {1, 0, 0}, deny()},
        {"uname", {kPointer}, kAllow}}},
      {"NewestThatIsKnown",
       {{"set_mempolicy_home_node", {0, 0, 0, 0}, deny()}, {"read", {0, kPointer, 1}, kAllow}}},
  };
}

class SeccompDoors : public testing::TestWithParam<std::tuple<Door, Architecture>> {
 protected:
  static const Filter& filter(Architecture architecture) {
    static std::map<Architecture, Filter> filters;
    const auto [entry, fresh] = filters.try_emplace(architecture);
    if (fresh) {
      entry->second =
          test::compiled(test::shipped_profile("default"), {.architecture = architecture});
    }
    return entry->second;
  }
};

TEST_P(SeccompDoors, AnswersAsTheTableSays) {
  const auto& [door, architecture] = GetParam();
  bool passes = false;
  bool stops = false;
  for (const Row& row : door.rows) {
    const int number = test::syscall_number(row.call, architecture);
    ASSERT_NE(number, -1) << row.call << " is no system call at all";
    if (number < 0) continue;  // x86_64 has it, aarch64 has not
    const SystemCall call{.number = static_cast<std::uint32_t>(number),
                          .architecture = test::audit_architecture(architecture),
                          .arguments = row.arguments};
    EXPECT_EQ(test::evaluate(filter(architecture), call), row.answer)
        << row.call << testing::PrintToString(row.arguments);
    (row.answer == kAllow ? passes : stops) = true;
  }
  EXPECT_TRUE(passes && stops) << "a door needs a row that passes and one that does not";
}

std::string name_of(const testing::TestParamInfo<std::tuple<Door, Architecture>>& test) {
  const auto& [door, architecture] = test.param;
  return std::string(door.name) + (architecture == Architecture::x86_64 ? "_x86_64" : "_aarch64");
}

INSTANTIATE_TEST_SUITE_P(Default, SeccompDoors,
                         testing::Combine(testing::ValuesIn(doors()),
                                          testing::Values(Architecture::x86_64,
                                                          Architecture::aarch64)),
                         name_of);

}  // namespace
}  // namespace evojail
