// Other processes: the jail's init, the session's own sshd, those of the host.

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "probe.hpp"

namespace evojail::attack {
namespace {

constexpr pid_t kInit = 1;

Outcome open_of_init(const char* file, int mode) {
  const std::string path = std::string("/proc/1/") + file;
  return outcome_of_fd(::open(path.c_str(), mode | O_CLOEXEC));
}

Outcome trace_init() {
  const Outcome outcome = outcome_of(::ptrace(PTRACE_SEIZE, kInit, nullptr, nullptr));
  if (outcome == 0) ::ptrace(PTRACE_DETACH, kInit, nullptr, nullptr);
  return outcome;
}

/// No address of init is known in here: EFAULT for whoever may read it.
Outcome read_memory_of_init() {
  char byte = 0;
  const iovec here{&byte, 1};
  const iovec there{nullptr, 1};
  return outcome_of(::process_vm_readv(kInit, &here, 1, &there, 1, 0));
}

Outcome write_memory_of_init() {
  char byte = 0;
  const iovec here{&byte, 1};
  const iovec there{nullptr, 1};
  return outcome_of(::process_vm_writev(kInit, &here, 1, &there, 1, 0));
}

Outcome compare_with_init() {
  return outcome_of(::syscall(SYS_kcmp, ::getpid(), kInit, KCMP_FILES, 0, 0));
}

Outcome take_descriptor(pid_t pid, int fd) {
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (process < 0) return errno;
  return outcome_of_fd(::syscall(SYS_pidfd_getfd, process, fd, 0));
}

Outcome take_descriptor_of_init() { return take_descriptor(kInit, 0); }

/// Up the line of parents to the process that has the connection. Who finds it has the accepted
/// socket, and with it the doors of connection.cpp.
Outcome take_connection() {
  Outcome outcome = ESRCH;
  pid_t pid = ::getppid();
  for (int up = 0; up < 6 && pid > 1; ++up) {
    const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (process < 0) return errno;
    for (int fd = 0; fd < 8; ++fd) {
      const int taken = static_cast<int>(::syscall(SYS_pidfd_getfd, process, fd, 0));
      if (taken < 0) {
        if (errno != EBADF) outcome = errno;
        continue;
      }
      int domain = 0;
      socklen_t length = sizeof domain;
      if (::getsockopt(taken, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 &&
          (domain == AF_INET || domain == AF_INET6)) {
        return 0;
      }
    }
    const std::string path = "/proc/" + std::to_string(pid) + "/stat";
    char text[512] = {};
    const int stat = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (stat < 0 || ::read(stat, text, sizeof text - 1) < 0) return outcome;
    const char* after_name = std::strrchr(text, ')');
    pid = after_name == nullptr ? 0 : std::atoi(after_name + 4);
  }
  return outcome;
}

/// A word that only a process of the host has in its environment.
Outcome find_secret_environment() {
  constexpr char needle[] = "ATTACK_SECRET=of-the-host";
  DIR* const proc = ::opendir("/proc");
  if (proc == nullptr) return errno;
  Outcome outcome = ENOENT;
  while (const dirent* entry = ::readdir(proc)) {
    if (std::atoi(entry->d_name) == 0) continue;
    const std::string path = std::string("/proc/") + entry->d_name + "/environ";
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    char text[8192] = {};
    const ssize_t length = ::read(fd, text, sizeof text);
    if (length > 0 && ::memmem(text, static_cast<std::size_t>(length), needle, sizeof needle - 1)) {
      outcome = 0;
    }
    ::close(fd);
  }
  return outcome;
}

Outcome set_limit_of_init() {
  rlimit limit{};
  return outcome_of(::prlimit(kInit, RLIMIT_NOFILE, nullptr, &limit));
}

/// A core limit of 1 keeps the host's core handler from running; it stays.
Outcome raise_core_limit() {
  const rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
  return outcome_of(::setrlimit(RLIMIT_CORE, &limit));
}

/// As many as the limit lets a process ask for; a jail's is below that.
Outcome exhaust_descriptors() {
  constexpr int many = 4096;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  for (int i = 0; i < many; ++i) {
    if (::dup(0) < 0) return errno;
  }
  return 0;
}

Outcome raise_priority() { return outcome_of(::setpriority(PRIO_PROCESS, 0, -20)); }

// init ends what sessions leave. At the lowest priority, beside processes that only run, it hardly
// would; a step of one shows that it could be put there.
int nicer_than_init() { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(kInit)) + 1; }

Outcome lower_priority_of_init() {
  return outcome_of(::setpriority(PRIO_PROCESS, static_cast<id_t>(kInit), nicer_than_init()));
}

/// Of all that have the caller's uid. Where that includes init it shows.
Outcome lower_priority_of_user() {
  const int nicer = nicer_than_init();
  if (::setpriority(PRIO_USER, 0, nicer) != 0) return errno;
  return nicer_than_init() > nicer ? 0 : EACCES;
}

Outcome lower_io_priority_of_init() {
  constexpr int lowest = IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT;
  return outcome_of(::syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, kInit, lowest));
}

Outcome real_time() {
  sched_param parameter{};
  parameter.sched_priority = 1;
  return outcome_of(::sched_setscheduler(0, SCHED_FIFO, &parameter));
}

Outcome real_time_io() {
  return outcome_of(::syscall(SYS_ioprio_set, 1, 0, IOPRIO_CLASS_RT << IOPRIO_CLASS_SHIFT));
}

/// Back into the permitted set what was taken from it.
Outcome regain_capability() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[2]{};
  if (::syscall(SYS_capget, &header, sets) != 0) return errno;
  constexpr std::uint32_t wanted = 1U << CAP_SYS_ADMIN;
  sets[0].permitted |= wanted;
  sets[0].effective |= wanted;
  return outcome_of(::syscall(SYS_capset, &header, sets));
}

Outcome become_high_uid() { return outcome_of(::syscall(SYS_setuid, 70'000)); }

Outcome become_high_gid() { return outcome_of(::syscall(SYS_setgid, 70'000)); }

Outcome become_high_real_uid() { return outcome_of(::syscall(SYS_setresuid, -1, -1, 70'000)); }

Outcome become_high_file_uid() {
  if (::syscall(SYS_setfsuid, 70'000) < 0) return errno;
  return ::syscall(SYS_setfsuid, -1) == 70'000 ? 0 : EPERM;
}

// What stays behind shows that it lives by a byte ten times a second, for a minute.
constexpr int kBeats = 600;

void beat(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (::write(fd, "x", 1) != 1) ::_exit(1);
  ::close(fd);
  ::usleep(100'000);
}

void leave_session() {
  ::setsid();
  ::syscall(SYS_close_range, 0, ~0U, 0);
}

/// A process that is never the one that was seen: it forks and ends at every beat. The outcome says
/// only that it is off.
Outcome hop() {
  if (::fork() != 0) return 0;
  leave_session();
  const std::string beats = data_directory() + "/hop.beats";
  for (int i = 0; i < kBeats; ++i) {
    beat(beats);
    if (::fork() != 0) ::_exit(0);
  }
  ::_exit(0);
}

/// A process that looks dead: its first thread has ended, and another one goes on. The outcome says
/// only that it is off.
Outcome lose_first_thread() {
  if (::fork() != 0) return 0;
  leave_session();
  const std::string beats = data_directory() + "/undead.beats";
  std::thread([beats] {
    for (int i = 0; i < kBeats; ++i) beat(beats);
    ::_exit(0);
  }).detach();
  ::syscall(SYS_exit, 0);
  ::_exit(1);
}

/// Fills the volume by children that nobody reaps: their counts go with them. For two minutes, or
/// until somebody ends it.
Outcome write_unseen() {
  constexpr int rounds = 2400;
  constexpr std::size_t part = 128 << 10;
  ::alarm(0);
  ::signal(SIGCHLD, SIG_IGN);
  const std::string path = data_directory() + "/unseen";
  const std::string bytes(part, 'x');
  for (int i = 0; i < rounds; ++i) {
    if (::fork() == 0) {
      const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
      const bool put = ::write(fd, bytes.data(), part) == static_cast<ssize_t>(part);
      ::_exit(put && ::fdatasync(fd) == 0 ? 0 : 1);
    }
    ::usleep(50'000);
  }
  return 0;
}

/// What the session shell would say of a session of this connection that runs a command.
void claim_login() {
  sockaddr_in6 peer{};
  socklen_t size = sizeof peer;
  if (::getpeername(0, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return;
  char address[INET_ADDRSTRLEN] = {};
  ::inet_ntop(AF_INET, &peer.sin6_addr.s6_addr[12], address, sizeof address);
  char line[256] = {};
  const int length = std::snprintf(line, sizeof line, "begin %s %d %d linger\n", address,
                                   ntohs(peer.sin6_port), ::getpid());
  const int report = ::open("/run/evojail-report", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (::write(report, line, static_cast<std::size_t>(length)) < 0) ::close(report);
}

/// An sshd that stays when the client has gone. It says itself that it is off.
Outcome outlive_connection() {
  ::alarm(0);
  claim_login();
  const std::string beats = data_directory() + "/linger.beats";
  beat(beats);
  ::close(make_file("linger"));
  for (int i = 0; i < kBeats; ++i) beat(beats);
  return 0;
}

constexpr Probe::Place kSession = Probe::Place::session;
constexpr Probe kProbes[] = {
    {"init-trace", kSession, trace_init},
    {"init-read", kSession, read_memory_of_init},
    {"init-write", kSession, write_memory_of_init},
    {"init-compare", kSession, compare_with_init},
    {"init-descriptor", kSession, take_descriptor_of_init},
    {"init-limit", kSession, set_limit_of_init},
    {"init-environ", kSession, [] { return open_of_init("environ", O_RDONLY); }},
    {"init-mem", kSession, [] { return open_of_init("mem", O_RDWR); }},
    {"init-root", kSession, [] { return open_of_init("root", O_RDONLY | O_DIRECTORY); }},
    {"init-cwd", kSession, [] { return open_of_init("cwd", O_RDONLY | O_DIRECTORY); }},
    {"init-maps", kSession, [] { return open_of_init("maps", O_RDONLY); }},
    {"init-exe-read", kSession, [] { return open_of_init("exe", O_RDONLY); }},
    {"init-exe-write", kSession, [] { return open_of_init("exe", O_WRONLY); }},
    {"connection-steal", kSession, take_connection},
    {"hop", Probe::Place::service, hop},
    {"undead", Probe::Place::service, lose_first_thread},
    {"write-unseen", kSession, write_unseen},
    {"linger", Probe::Place::service, outlive_connection},
    {"host-environ", kSession, find_secret_environment},
    {"limit-core", kSession, raise_core_limit},
    {"descriptors", kSession, exhaust_descriptors},
    {"priority", kSession, raise_priority},
    {"priority-init", kSession, lower_priority_of_init},
    {"priority-user", kSession, lower_priority_of_user},
    {"priority-io-init", kSession, lower_io_priority_of_init},
    {"priority-real-time", kSession, real_time},
    {"priority-io", kSession, real_time_io},
    {"capability-regain", kSession, regain_capability},
    {"uid-high", kSession, become_high_uid},
    {"gid-high", kSession, become_high_gid},
    {"uid-high-saved", kSession, become_high_real_uid},
    {"uid-high-files", kSession, become_high_file_uid},
};

}  // namespace

std::span<const Probe> process_probes() { return kProbes; }

}  // namespace evojail::attack
