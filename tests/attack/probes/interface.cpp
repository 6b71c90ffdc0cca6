// Large or young interfaces of the kernel, whatever they would be used for, and the files under
// /proc and /sys that show or change the host.

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/landlock.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <string>

#include "probe.hpp"

namespace evojail::attack {
namespace {

/// The machine code of filters has one pool for the whole host, and no cgroup counts it.
sock_filter allow_all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
sock_fprog small_filter{1, allow_all};

Outcome add_filter() {
  return outcome_of(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &small_filter));
}

Outcome add_filter_by_call() {
  return outcome_of(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &small_filter));
}

Outcome io_uring() {
  io_uring_params parameters{};
  return outcome_of_fd(::syscall(SYS_io_uring_setup, 1, &parameters));
}

Outcome bpf_map() {
  bpf_attr attributes{};
  attributes.map_type = BPF_MAP_TYPE_ARRAY;
  attributes.key_size = 4;
  attributes.value_size = 4;
  attributes.max_entries = 1;
  return outcome_of_fd(::syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes));
}

Outcome perf_counter() {
  perf_event_attr attributes{};
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.size = sizeof attributes;
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  return outcome_of_fd(::syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0));
}

Outcome fanotify() { return outcome_of_fd(::fanotify_init(FAN_REPORT_FID | FAN_CLOEXEC, 0)); }

Outcome inotify() { return outcome_of_fd(::inotify_init1(IN_CLOEXEC)); }

Outcome epoll() { return outcome_of_fd(::epoll_create1(EPOLL_CLOEXEC)); }

Outcome asynchronous_io() {
  unsigned long context = 0;
  return outcome_of(::syscall(SYS_io_setup, 1, &context));
}

/// Would give the caller the calls of its own children to answer.
Outcome seccomp_listener() {
  sock_filter allow{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
  const sock_fprog program{1, &allow};
  return outcome_of_fd(
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}

Outcome landlock() {
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE;
  return outcome_of_fd(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
}

std::array<int, 2> make_pipe() {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return {-1, -1};
  return pipe;
}

/// Pages of a file of the base image in a pipe: what CVE-2022-0847 then wrote to.
Outcome splice_file() {
  const int fd = ::open(base_path("/usr/bin/true").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  return outcome_of(::splice(fd, nullptr, make_pipe()[1], nullptr, 1, 0));
}

Outcome splice_memory() {
  char byte = 'x';
  const iovec memory{&byte, 1};
  return outcome_of(::vmsplice(make_pipe()[1], &memory, 1, 0));
}

Outcome tee_pipe() {
  const auto from = make_pipe();
  if (::write(from[1], "x", 1) != 1) return errno;
  return outcome_of(::tee(from[0], make_pipe()[1], 1, 0));
}

Outcome send_file() {
  const int fd = ::open(base_path("/usr/bin/true").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  return outcome_of(::sendfile(make_pipe()[1], fd, nullptr, 1));
}

/// A call that is newer than the profile: programs take ENOSYS for an older kernel.
Outcome newer_call() {
  constexpr long fchmodat2 = 452;
  return outcome_of(::syscall(fchmodat2, AT_FDCWD, data_directory().c_str(), 0755, 0));
}

template <int Mode>
Outcome open_file(const char* path) {
  return outcome_of_fd(::open(path, Mode | O_CLOEXEC));
}

constexpr Probe::Place kSession = Probe::Place::session;
constexpr Probe kProbes[] = {
    {"io-uring", kSession, io_uring},
    {"bpf", kSession, bpf_map},
    {"perf", kSession, perf_counter},
    {"fanotify", kSession, fanotify},
    {"inotify", kSession, inotify},
    {"epoll", kSession, epoll},
    {"aio", kSession, asynchronous_io},
    {"seccomp-prctl", kSession, add_filter},
    {"seccomp-call", kSession, add_filter_by_call},
    {"seccomp-listener", kSession, seccomp_listener},
    {"landlock", kSession, landlock},
    {"splice", kSession, splice_file},
    {"vmsplice", kSession, splice_memory},
    {"tee", kSession, tee_pipe},
    {"sendfile", kSession, send_file},
    {"newer-call", kSession, newer_call},
    {"proc-core-pattern", kSession,
     [] { return open_file<O_WRONLY>("/proc/sys/kernel/core_pattern"); }},
    {"proc-userns-limit", kSession,
     [] { return open_file<O_WRONLY>("/proc/sys/user/max_user_namespaces"); }},
    {"proc-sysrq", kSession, [] { return open_file<O_WRONLY>("/proc/sysrq-trigger"); }},
    {"proc-kcore", kSession, [] { return open_file<O_RDONLY>("/proc/kcore"); }},
    {"proc-keys", kSession, [] { return open_file<O_RDONLY>("/proc/keys"); }},
    {"proc-symbols", kSession, [] { return open_file<O_RDONLY>("/proc/kallsyms"); }},
    {"sys", kSession, [] { return open_file<O_RDONLY>("/sys/kernel"); }},
    {"cgroupfs", kSession, [] { return open_file<O_RDONLY>("/sys/fs/cgroup"); }},
};

}  // namespace

std::span<const Probe> interface_probes() { return kProbes; }

}  // namespace evojail::attack
