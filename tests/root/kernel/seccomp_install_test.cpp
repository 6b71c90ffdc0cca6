// The filters on a real kernel. A refusal by the filter carries an errno that nothing else here
// gives, so that it cannot be mistaken for one by the kernel; each call is made without the filter,
// too.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <string>

#include "kernel/capabilities.hpp"
#include "kernel/seccomp.hpp"
#include "support/profiles.hpp"

namespace evojail {
namespace {

constexpr int kTelltale = 4094;
constexpr int kBroken = 250;  // exit codes of a child that could not do what it was made for
constexpr int kPassed = 0;

/// Runs `body` in a child; its return value is the exit code, a signal counts as 256 + its number.
int in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

/// The same behind a filter.
int behind(const Filter& filter, const std::function<int()>& body) {
  return in_child([&] {
    if (!set_no_new_privs() || !install_filter(filter)) return kBroken;
    return body();
  });
}

/// The default profile whose own refusals carry the telltale.
Filter telltale_filter() {
  Profile profile = test::shipped_profile("default");
  profile.default_error = kTelltale;
  for (SyscallGroup& group : profile.syscalls) {
    if (group.action == SeccompAction::error && group.error == EPERM) group.error = kTelltale;
  }
  return test::compiled(profile);
}

struct Probe {
  const char* name;
  std::function<long()> call;
};

void PrintTo(const Probe& probe, std::ostream* out) { *out << probe.name; }

class RefusedCall : public testing::TestWithParam<Probe> {};

TEST_P(RefusedCall, ByTheFilterAndNothingElse) {
  const Filter filter = telltale_filter();
  const auto refused = [&] {
    errno = 0;
    const long result = GetParam().call();
    return result < 0 && errno == kTelltale ? kPassed : 1;
  };
  EXPECT_EQ(behind(filter, refused), kPassed);
  EXPECT_EQ(in_child(refused), 1) << "the telltale is there without a filter";
}

INSTANTIATE_TEST_SUITE_P(
    Doors, RefusedCall,
    testing::Values(
        Probe{"unshare", [] { return syscall(SYS_unshare, 0L); }},
        Probe{"shmget", [] { return syscall(SYS_shmget, IPC_PRIVATE, 4096L, 0600L); }},
        Probe{"keyctl", [] { return syscall(SYS_keyctl, 0L, -3L, 0L); }},
        Probe{"memfd_create", [] { return syscall(SYS_memfd_create, "x", 0L); }},
        Probe{"userfaultfd", [] { return syscall(SYS_userfaultfd, 1L); }},
        Probe{"pidfd_open", [] { return syscall(SYS_pidfd_open, getpid(), 0L); }},
        Probe{"ptrace", [] { return syscall(SYS_ptrace, 0L, 0L, 0L, 0L); }},
        Probe{"bpf", [] { return syscall(SYS_bpf, 0L, 0L, 0L); }},
        Probe{"vmsplice", [] { return syscall(SYS_vmsplice, 1L, 0L, 0L, 0L); }},
        Probe{"listen", [] { return syscall(SYS_listen, 0L, 1L); }},
        Probe{"ioctlTIOCSTI", [] { return syscall(SYS_ioctl, 0L, 0x5412L, 0L); }},
        Probe{"ioctlHighBits", [] { return syscall(SYS_ioctl, 0L, 0x1'0000'5412L, 0L); }},
        Probe{"fcntlSetLease", [] { return syscall(SYS_fcntl, 0L, long{F_SETLEASE}, 0L); }},
        Probe{"personality", [] { return syscall(SYS_personality, 0x0040000L); }},
        Probe{"mprotectExec",
              [] {
                void* page =
                    mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                return syscall(SYS_mprotect, page, 4096L, long{PROT_READ | PROT_EXEC});
              }},
        Probe{"cloneNewUser",
              [] {
                const long child = syscall(SYS_clone, long{0x10000000 | SIGCHLD}, 0L, 0L, 0L, 0L);
                if (child == 0) _exit(0);
                return child;
              }}),
    [](const auto& test) { return test.param.name; });

TEST(InstalledFilter, LetsEverydayCallsPass) {
  EXPECT_EQ(behind(telltale_filter(),
                   [] {
                     std::array<int, 2> pair{};
                     const pid_t child = fork();
                     if (child == 0) _exit(7);
                     int status = 0;
                     return waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7 &&
                                    socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) == 0 &&
                                    write(pair[0], "x", 1) == 1 && open("/", O_RDONLY) >= 0
                                ? kPassed
                                : 1;
                   }),
            kPassed);
}

TEST(InstalledFilter, AnswersWithTheErrnoOfTheGroup) {
  const Filter filter = telltale_filter();
  const auto has_errno = [](const std::function<long()>& call, int wanted) {
    return [=] { return call() < 0 && errno == wanted ? kPassed : 1; };
  };
  const auto socket =
      has_errno([] { return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }, EAFNOSUPPORT);
  EXPECT_EQ(behind(filter, socket), kPassed);
  EXPECT_EQ(in_child(socket), 1);
  const auto clone3 = has_errno([] { return syscall(SYS_clone3, 0L, 0L); }, ENOSYS);
  EXPECT_EQ(behind(filter, clone3), kPassed);
  EXPECT_EQ(in_child(clone3), 1);
}

/// cachestat, 451, is the first call newer than the profile: a kernel that has it answers something
/// else.
TEST(InstalledFilter, HidesCallsThatAreNewer) {
  const auto missing = [] { return syscall(451, 0L, 0L, 0L, 1L) < 0 && errno == ENOSYS ? 0 : 1; };
  EXPECT_EQ(behind(telltale_filter(), missing), kPassed);
}

#if defined(__x86_64__)
/// int $0x80 with getpid of i386 (20), which harms nobody.
long foreign_call() {
  long result = 20;
  asm volatile("int $0x80" : "+a"(result) : : "memory", "cc", "r8", "r9", "r10", "r11");
  return result;
}

TEST(InstalledFilter, KillsAtI386) {
  const auto call = [] { return foreign_call() == 0 ? 1 : kPassed; };
  if (in_child(call) == 256 + SIGSEGV) GTEST_SKIP() << "the kernel has no i386 ABI";
  EXPECT_EQ(behind(telltale_filter(), call), 256 + SIGSYS);
  EXPECT_EQ(in_child(call), kPassed);
}

TEST(InstalledFilter, KillsAtX32) {
  const auto call = [] {
    syscall(0x40000000 | 39);
    return kPassed;
  };
  EXPECT_EQ(behind(telltale_filter(), call), 256 + SIGSYS);
  EXPECT_EQ(in_child(call), kPassed);
}
#endif

TEST(InstalledFilter, IsThereForGoodAndInChildren) {
  EXPECT_EQ(behind(telltale_filter(),
                   [] {
                     const pid_t child = fork();
                     if (child == 0)
                       _exit(syscall(SYS_unshare, 0L) < 0 && errno == kTelltale ? 7 : 1);
                     int status = 0;
                     waitpid(child, &status, 0);
                     return WEXITSTATUS(status) == 7 ? kPassed : 1;
                   }),
            kPassed);
}

TEST(InstallFilter, NeedsNoNewPrivsWithoutCapabilities) {
  const Filter filter = telltale_filter();
  const auto install = [&](bool no_new_privs) {
    return in_child([&] {
      if (!limit_capabilities({})) return kBroken;
      if (no_new_privs && !set_no_new_privs()) return kBroken;
      const auto installed = install_filter(filter);
      if (installed) return kPassed;
      return installed.error().code() == EACCES && !installed.error().hint().empty() ? 1 : kBroken;
    });
  };
  EXPECT_EQ(install(false), 1);
  EXPECT_EQ(install(true), kPassed);
}

TEST(InstallFilter, SaysWhatTheKernelHasNoRoomFor) {
  constexpr std::uint32_t no_room = SECCOMP_RET_ERRNO | 524;
  const Filter kernel{{{0x20, 0, 0, 0},
                       {0x15, 0, 1, SYS_seccomp},
                       {0x06, 0, 0, no_room},
                       {0x06, 0, 0, SECCOMP_RET_ALLOW}}};
  EXPECT_EQ(in_child([&] {
              if (!set_no_new_privs() || !install_filter(kernel)) return kBroken;
              const auto installed = install_filter(telltale_filter());
              if (installed) return kBroken;
              const bool said = installed.error().hint().contains("net.core.bpf_jit_limit");
              return installed.error().code() == 524 && said ? kPassed : 1;
            }),
            kPassed);
}

TEST(InstallFilter, RefusesAnEmptyProgramAndABrokenOne) {
  EXPECT_EQ(in_child([] {
              return set_no_new_privs() && !install_filter({}) &&
                             !install_filter(Filter{{{0xffff, 0, 0, 0}}})
                         ? kPassed
                         : 1;
            }),
            kPassed);
}

}  // namespace
}  // namespace evojail
