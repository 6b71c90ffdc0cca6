#include "kernel/capabilities.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>

#include "base/fd.hpp"

namespace evojail {
namespace {

int in_child(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body());
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

/// A line of /proc/self/status: "CapBnd" gives "0000000000000001".
std::string status_of(const std::string& name) {
  const auto file = open_path("/proc/self/status", O_RDONLY);
  if (!file) return {};
  const auto text = read_all(file->get(), "status", 1 << 16);
  if (!text) return {};
  const std::size_t at = text->find(name + ":\t");
  if (at == std::string::npos) return {};
  const std::size_t begin = at + name.size() + 2;
  return text->substr(begin, text->find('\n', begin) - begin);
}

const Capabilities kKept{CAP_CHOWN, CAP_KILL};
constexpr const char* kKeptMask = "0000000000000021";

TEST(LimitCapabilities, LeavesWhatIsKeptAndNothingElse) {
  EXPECT_EQ(in_child([] {
              if (!limit_capabilities(kKept)) return 1;
              if (status_of("CapBnd") != kKeptMask) return 2;
              if (status_of("CapPrm") != kKeptMask) return 3;
              if (status_of("CapEff") != kKeptMask) return 4;
              if (status_of("CapInh") != "0000000000000000") return 5;
              if (status_of("CapAmb") != "0000000000000000") return 6;
              return 0;
            }),
            0);
}

/// What root gets back at execve(2) is bounded by the bounding set.
TEST(LimitCapabilities, HoldsAcrossExec) {
  const auto effective_after_exec = [](bool limited) {
    return in_child([limited] {
      if (limited && !limit_capabilities(kKept)) return 250;
      execl("/bin/sh", "sh", "-c", "grep -qx 'CapEff:.0000000000000021' /proc/self/status",
            nullptr);
      return 251;
    });
  };
  EXPECT_EQ(effective_after_exec(true), 0);
  EXPECT_EQ(effective_after_exec(false), 1);
}

TEST(LimitCapabilities, DropsInheritableAndAmbient) {
  EXPECT_EQ(in_child([] {
              // An ambient capability has to be inheritable first (capabilities(7)).
              __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
              __user_cap_data_struct data[2];  // NOLINT: the kernel's interface
              if (syscall(SYS_capget, &header, data) != 0) return 1;
              data[0].inheritable |= 1U << CAP_SYS_ADMIN;
              if (syscall(SYS_capset, &header, data) != 0) return 2;
              if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0) != 0) return 3;
              if (status_of("CapAmb") == "0000000000000000") return 4;
              if (!limit_capabilities(kKept)) return 5;
              return status_of("CapAmb") == "0000000000000000" &&
                             status_of("CapInh") == "0000000000000000"
                         ? 0
                         : 6;
            }),
            0);
}

TEST(LimitCapabilities, TakesTheirPower) {
  const auto hostname = [](bool limited) {
    return in_child([limited] {
      if (unshare(CLONE_NEWUTS) != 0) return 250;
      if (limited && !limit_capabilities(kKept)) return 251;
      return sethostname("limited", 7) == 0 ? 0 : errno;
    });
  };
  EXPECT_EQ(hostname(true), EPERM);
  EXPECT_EQ(hostname(false), 0);
}

TEST(LimitCapabilities, DoesNotGiveWhatWasNotHeld) {
  EXPECT_EQ(in_child([] {
              if (!limit_capabilities({CAP_CHOWN, CAP_SETPCAP})) return 1;
              if (!limit_capabilities({CAP_CHOWN, CAP_KILL, CAP_SETPCAP})) return 2;
              return status_of("CapPrm") == "0000000000000101" ? 0 : 3;
            }),
            0);
}

TEST(LimitCapabilities, FailsWhereItMayNot) {
  EXPECT_EQ(in_child([] {
              if (!limit_capabilities(kKept)) return 1;
              const auto again = limit_capabilities({});
              return again ? 2 : again.error().code();
            }),
            EPERM);
}

TEST(NoNewPrivs, AreSet) {
  EXPECT_EQ(in_child([] {
              if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0) return 1;
              if (!set_no_new_privs()) return 2;
              return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 3;
            }),
            0);
}

}  // namespace
}  // namespace evojail
