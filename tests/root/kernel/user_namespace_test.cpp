#include "kernel/user_namespace.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "base/file.hpp"
#include "kernel/clone.hpp"
#include "kernel/hardening.hpp"

namespace evojail {
namespace {

constexpr std::uint32_t kBase = 0x70000000U + 1500 * 0x20000U;
/// Nobody else's: what tests that run beside this one have in namespaces of theirs would count.
constexpr std::uint32_t kCountedBase = kBase + 0x20000U;
constexpr int kUids = 5;
constexpr int kEach = 30;

/// Becomes `uid` and forks until it may not, at most kEach times. @return how many there are.
int fork_as(uid_t uid) {
  if (::setresuid(uid, uid, uid) != 0) return 0;
  int made = 0;
  for (; made < kEach; ++made) {
    const pid_t child = ::fork();
    if (child < 0) break;
    if (child == 0) {
      ::pause();
      ::_exit(0);
    }
  }
  return made;
}

/// PID 1 of a PID namespace: what it has forked ends with it. One process a uid, each of which
/// forks in its turn and stays. @return how many processes came to be.
int fork_over_uids(int user_namespace) {
  if (!enter_user_namespace(user_namespace)) return 255;
  std::array<int, 2> counts{};
  if (::pipe(counts.data()) != 0) return 255;
  int all = 0;
  for (uid_t uid = 1; uid <= kUids; ++uid) {
    const pid_t child = ::fork();
    if (child < 0) break;
    if (child == 0) {
      const int made = fork_as(uid);
      if (::write(counts[1], &made, sizeof made) == sizeof made) ::pause();
      ::_exit(0);
    }
    int made = 0;
    if (::read(counts[0], &made, sizeof made) != sizeof made) return 255;
    all += 1 + made;
  }
  return all;
}

int processes_under(std::uint64_t limit) {
  const auto user_namespace = make_user_namespace(kCountedBase, limit);
  if (!user_namespace) return -1;
  auto child = clone_process(CLONE_NEWPID, [&] { return fork_over_uids(user_namespace->get()); });
  if (!child) return -1;
  const auto status = child->wait();
  return status && status->exited ? status->value : -1;
}

TEST(UserNamespace, BoundsTheProcessesOfAllItsUidsTogether) {
  constexpr int limit = 60;
  // PID 1 itself is one of them.
  EXPECT_EQ(processes_under(limit), limit - 1);
  EXPECT_EQ(processes_under(1000), kUids * (1 + kEach)) << "the control: nothing else bounds them";
}

/// On a machine of little memory the kernel's own limits are below those of a profile.
TEST(LimitResource, KeepsAHardLimitThatIsLowerAlready) {
  const auto user_namespace = make_user_namespace(kBase, 100);
  ASSERT_TRUE(user_namespace) << user_namespace.error().message();
  const auto look = [&] {
    if (!limit_resource(RLIMIT_SIGPENDING, 100)) return 1;
    if (!enter_user_namespace(user_namespace->get())) return 2;
    if (!limit_resource(RLIMIT_SIGPENDING, 200)) return 3;
    rlimit limit{};
    if (::getrlimit(RLIMIT_SIGPENDING, &limit) != 0 || limit.rlim_max != 100) return 4;
    if (!limit_resource(RLIMIT_SIGPENDING, 50)) return 5;
    if (::getrlimit(RLIMIT_SIGPENDING, &limit) != 0 || limit.rlim_max != 50) return 6;
    return 0;
  };
  auto child = clone_process(0, look);
  ASSERT_TRUE(child);
  const auto status = child->wait();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->value, 0);
}

TEST(UserNamespace, GivesItsRootEveryIdOfTheMapAndNoUserNamespaceOfItsOwn) {
  const auto user_namespace = make_user_namespace(kBase, 100);
  ASSERT_TRUE(user_namespace) << user_namespace.error().message();
  const auto look = [&] {
    if (!enter_user_namespace(user_namespace->get())) return 1;
    if (::getuid() != 0 || ::getgid() != 0 || ::getgroups(0, nullptr) != 0) return 2;
    if (::unshare(CLONE_NEWUSER) == 0 || errno != ENOSPC) return 3;
    if (::setresgid(4294967294U, 70000, 65535) != 0) return 4;
    if (::setresuid(4294967294U, 70000, 65535) != 0) return 5;
    return 0;
  };
  auto child = clone_process(0, look);
  ASSERT_TRUE(child);
  const auto status = child->wait();
  ASSERT_TRUE(status);
  EXPECT_EQ(status->value, 0);
}

/// The exit code of a child: 0 where making one fails with `code` and the cure has `word`.
template <class Prepare>
int failure_after(const Prepare& prepare, int code, std::string_view word) {
  auto child = clone_process(0, [&] {
    if (!prepare()) return 1;
    const auto user_namespace = make_user_namespace(kBase, 100);
    if (user_namespace) return 2;
    if (user_namespace.error().code() != code) return 3;
    return user_namespace.error().hint().contains(word) ? 0 : 4;
  });
  if (!child) return -1;
  const auto status = child->wait();
  return status && status->exited ? status->value : -1;
}

TEST(UserNamespace, ThatCannotBeMadeHasTheCureOfItsCause) {
  const auto in_chroot = [] { return ::chroot("/usr") == 0; };
  EXPECT_EQ(failure_after(in_chroot, EPERM, "chroot"), 0);
  const auto user_namespace = make_user_namespace(kBase, 100);
  ASSERT_TRUE(user_namespace) << user_namespace.error().message();
  const auto within = [&] { return enter_user_namespace(user_namespace->get()).has_value(); };
  EXPECT_EQ(failure_after(within, ENOSPC, "max_user_namespaces"), 0);
}

}  // namespace
}  // namespace evojail
