// Namespaces of one's own, and those of others.

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.hpp"

namespace evojail::attack {
namespace {

Outcome unshare_with(unsigned long flags) { return outcome_of(::syscall(SYS_unshare, flags)); }

/// clone(2) and clone3(2) return twice.
Outcome outcome_of_child(long child) {
  if (child == 0) ::_exit(0);
  if (child < 0) return errno;
  ::waitpid(static_cast<pid_t>(child), nullptr, 0);
  return 0;
}

Outcome clone_with(unsigned long flags) {
  return outcome_of_child(::syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, 0));
}

Outcome clone3_with(unsigned long flags) {
  clone_args arguments{};
  arguments.flags = flags;
  arguments.exit_signal = SIGCHLD;
  return outcome_of_child(::syscall(SYS_clone3, &arguments, sizeof arguments));
}

Outcome join_namespace_of_init(const char* path, int type) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  return fd < 0 ? errno : outcome_of(::setns(fd, type));
}

Outcome join_by_pidfd() {
  const int init = static_cast<int>(::syscall(SYS_pidfd_open, 1, 0));
  return init < 0 ? errno : outcome_of(::setns(init, CLONE_NEWUTS));
}

Outcome join_own_namespace_anew() {
  const int fd = ::open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
  return fd < 0 ? errno : outcome_of(::setns(fd, CLONE_NEWUTS));
}

constexpr Probe::Place kSession = Probe::Place::session;
constexpr Probe kProbes[] = {
    {"unshare-user", kSession, [] { return unshare_with(CLONE_NEWUSER); }},
    {"unshare-mount", kSession, [] { return unshare_with(CLONE_NEWNS); }},
    {"unshare-net", kSession, [] { return unshare_with(CLONE_NEWNET); }},
    {"unshare-cgroup", kSession, [] { return unshare_with(CLONE_NEWCGROUP); }},
    {"unshare-time", kSession, [] { return unshare_with(CLONE_NEWTIME); }},
    {"clone-user", kSession, [] { return clone_with(CLONE_NEWUSER); }},
    {"clone-user-high", kSession, [] { return clone_with(CLONE_NEWUSER | kHighBits); }},
    {"clone-mount", kSession, [] { return clone_with(CLONE_NEWNS); }},
    {"clone-pid", kSession, [] { return clone_with(CLONE_NEWPID); }},
    {"clone3-user", kSession, [] { return clone3_with(CLONE_NEWUSER); }},
    {"setns-init", kSession, [] { return join_namespace_of_init("/proc/1/ns/mnt", CLONE_NEWNS); }},
    {"setns-pidfd", kSession, join_by_pidfd},
    {"setns-own", kSession, join_own_namespace_anew},
};

}  // namespace

std::span<const Probe> namespace_probes() { return kProbes; }

}  // namespace evojail::attack
