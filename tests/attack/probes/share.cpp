// What all jails have in common: memory of the kernel, the cache of the base image, terminals, the
// numbers of processes. An attempt wins where no limit of the jail's own stops it.

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "probe.hpp"

namespace evojail::attack {
namespace {

constexpr std::size_t kPage = 4096;

/// Each is memory of the kernel that is charged to nobody (CVE-2022-0480).
Outcome lock_records() {
  const int fd = make_file("locked");
  if (fd < 0) return errno;
  for (off_t at = 0; at < 2000; at += 2) {
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_start = at;
    lock.l_len = 1;
    if (::fcntl(fd, F_SETLK, &lock) != 0) return errno;
  }
  return 0;
}

Outcome lock_file() {
  const int fd = make_file("locked-whole");
  if (fd < 0) return errno;
  struct flock lock{};
  lock.l_type = F_WRLCK;
  return outcome_of(::fcntl(fd, F_OFD_SETLK, &lock));
}

int open_base() { return ::open(base_path("/usr/bin/true").c_str(), O_RDONLY | O_CLOEXEC); }

/// The neighbours have to read it from the disk again, and who drops it can tell that they did.
Outcome drop_cache() { return ::posix_fadvise(open_base(), 0, 0, POSIX_FADV_DONTNEED); }

void* map_base() { return ::mmap(nullptr, kPage, PROT_READ, MAP_SHARED, open_base(), 0); }

Outcome page_out() { return outcome_of(::madvise(map_base(), kPage, MADV_PAGEOUT)); }

Outcome ask_residency() {
  unsigned char state = 0;
  return outcome_of(::mincore(map_base(), kPage, &state));
}

/// EAGAIN where a page is not in memory: an answer too.
Outcome read_without_waiting() {
  char byte = 0;
  const iovec here{&byte, 1};
  const ssize_t got = ::preadv2(open_base(), &here, 1, 0, RWF_NOWAIT);
  return got < 0 && errno == EAGAIN ? 0 : outcome_of(got);
}

/// Equal pages of whoever runs on the host become one, and a write to it takes longer.
Outcome merge_pages() {
  void* const page =
      ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return outcome_of(::madvise(page, kPage, MADV_MERGEABLE));
}

Outcome lock_all_memory() { return outcome_of(::mlockall(MCL_FUTURE | MCL_ONFAULT)); }

/// The host has a pool of them for those whom it wants to have them: ENOMEM where it is empty.
Outcome take_huge_pages() {
  constexpr std::size_t huge = 2 << 20;
  return ::mmap(nullptr, huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB,
                -1, 0) == MAP_FAILED
             ? errno
             : 0;
}

Outcome inherit_priority() {
  unsigned word = 0;
  return outcome_of(::syscall(SYS_futex, &word, FUTEX_LOCK_PI_PRIVATE, 0, nullptr, nullptr, 0));
}

Outcome widen_pipe() {
  int pipe[2] = {-1, -1};
  if (::pipe2(pipe, O_CLOEXEC) != 0) return errno;
  return outcome_of(::fcntl(pipe[1], F_SETPIPE_SZ, 1 << 19));
}

/// More than a jail has, and less than the host.
Outcome take_terminals() {
  for (int i = 0; i < 100; ++i) {
    if (::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC) < 0) return errno;
  }
  return 0;
}

Outcome make_timers() {
  sigevent nothing{};
  nothing.sigev_notify = SIGEV_NONE;
  for (int i = 0; i < 5000; ++i) {
    int timer = 0;
    if (::syscall(SYS_timer_create, CLOCK_MONOTONIC, &nothing, &timer) != 0) return errno;
  }
  return 0;
}

/// A limit that counts for each uid is none where there are 65,536 of them.
Outcome fork_as_many() {
  constexpr int many = 600;
  Outcome outcome = 0;
  pid_t group = 0;
  for (int i = 1; i <= many && outcome == 0; ++i) {
    const pid_t child = ::fork();
    if (child < 0) outcome = errno;
    if (child == 0) {
      ::setpgid(0, group);
      const auto uid = static_cast<uid_t>(i);
      if (::setresuid(uid, uid, uid) != 0) ::_exit(1);
      ::pause();
      ::_exit(0);
    }
    if (child > 0) {
      ::setpgid(child, group);
      if (group == 0) group = child;
    }
  }
  if (group > 0) ::kill(-group, SIGKILL);
  while (::wait(nullptr) > 0) {
  }
  return outcome;
}

/// A jail's /tmp, or what stands for it.
std::string tmp_directory() {
  const char* given = std::getenv("ATK_TMP");
  return given != nullptr ? given : "/tmp";
}

/// Descriptors that nobody has to keep open: files without a name in a small file system.
Outcome fill_memory_files() {
  constexpr std::size_t block = 1 << 20;
  constexpr int blocks = 80;  // a jail's /tmp has 64
  const int fd = ::open(tmp_directory().c_str(), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  const std::string bytes(block, 'x');
  for (int i = 0; i < blocks; ++i) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0) return errno;
    if (static_cast<std::size_t>(put) < bytes.size()) return ENOSPC;
  }
  return 0;
}

/// Names cost the kernel memory beside what they hold.
Outcome make_memory_names() {
  constexpr int many = 20'000;  // a jail's /tmp has 16,400
  const std::string directory = tmp_directory() + "/evojail-attack-names";
  ::mkdir(directory.c_str(), 0700);
  int made = 0;
  Outcome outcome = 0;
  for (; made < many && outcome == 0; ++made) {
    const std::string name = directory + "/" + std::to_string(made);
    const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) outcome = errno;
    ::close(fd);
  }
  while (made-- > 0) ::unlink((directory + "/" + std::to_string(made)).c_str());
  ::rmdir(directory.c_str());
  return outcome;
}

/// What is under /proc is the kernel's, and a process may write to much of its own.
Outcome write_own_proc() {
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  return outcome_of(::write(fd, "1000", 4));
}

constexpr Probe::Place kSession = Probe::Place::session;
constexpr Probe kProbes[] = {
    {"lock-records", kSession, lock_records},
    {"lock-file", kSession, lock_file},
    {"cache-drop", kSession, drop_cache},
    {"cache-page-out", kSession, page_out},
    {"cache-residency", kSession, ask_residency},
    {"cache-timing", kSession, read_without_waiting},
    {"memory-merge", kSession, merge_pages},
    {"memory-lock", kSession, lock_all_memory},
    {"memory-huge", kSession, take_huge_pages},
    {"futex-priority", kSession, inherit_priority},
    {"pipe-size", kSession, widen_pipe},
    {"terminals", kSession, take_terminals},
    {"timers", kSession, make_timers},
    {"processes", kSession, fork_as_many},
    {"tmp-bytes", kSession, fill_memory_files},
    {"tmp-names", kSession, make_memory_names},
    {"proc-own", kSession, write_own_proc},
};

}  // namespace

std::span<const Probe> share_probes() { return kProbes; }

}  // namespace evojail::attack
