#include "jail/written_bytes.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <utility>

#include "base/fd.hpp"
#include "jail/process_table.hpp"
#include "kernel/clone.hpp"
#include "support/eventually.hpp"

namespace evojail {
namespace {

constexpr std::uint64_t kMegabytes = 4;

std::string file_on_disk(const std::string& name) {
  const char* directory = ::getenv("TEST_TMPDIR");
  return std::string(directory == nullptr ? "/var/tmp" : directory) + "/" + name;
}

bool write_file(const std::string& path) {
  const auto file = open_path(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (!file) return false;
  const std::string bytes(1 << 20, 'x');
  for (std::uint64_t i = 0; i < kMegabytes; ++i) {
    if (!write_all(file->get(), path, bytes)) return false;
  }
  return ::unlink(path.c_str()) == 0;
}

/// A child of the jail's PID 1 that writes by a grandchild of its own, which is reaped, or not.
pid_t writer(const std::string& path, bool reaped) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  const pid_t grandchild = ::fork();
  if (grandchild == 0) ::_exit(write_file(path) ? 0 : 1);
  siginfo_t ended{};
  ::waitid(P_PID, static_cast<id_t>(grandchild), &ended, reaped ? WEXITED : WEXITED | WNOWAIT);
  ::kill(::getppid(), SIGUSR1);
  ::pause();
  return 0;
}

TEST(BytesWritten, ByEachChildOfInitWithAllBelowIt) {
  std::array<int, 2> said{};
  ASSERT_EQ(::pipe(said.data()), 0);
  auto init = clone_process(CLONE_NEWPID, [&] {
    sigset_t mask;
    ::sigemptyset(&mask);
    ::sigaddset(&mask, SIGUSR1);
    ::sigprocmask(SIG_BLOCK, &mask, nullptr);
    std::array<pid_t, 3> pids{};
    for (const bool reaped : {true, false}) {
      pids.at(reaped ? 0 : 1) = writer(file_on_disk(reaped ? "reaped" : "zombie"), reaped);
      int number = 0;
      ::sigwait(&mask, &number);
    }
    pids[2] = ::fork();
    if (pids[2] == 0) ::pause();
    if (::write(said[1], pids.data(), sizeof pids) != sizeof pids) return 1;
    ::pause();
    return 0;
  });
  ASSERT_TRUE(init);
  std::array<pid_t, 3> pids{};
  ASSERT_EQ(::read(said[0], pids.data(), sizeof pids), static_cast<ssize_t>(sizeof pids));
  const auto found = writes_below(init->pid());
  ASSERT_TRUE(found) << found.error().message();
  const auto& written = found->by_child;
  ASSERT_EQ(written.size(), 3U);
  EXPECT_TRUE(found->whole);
  EXPECT_GE(written.at(pids[0]), kMegabytes << 20);
  EXPECT_GE(written.at(pids[1]), kMegabytes << 20);
  EXPECT_EQ(written.at(pids[2]), 0U) << "the control: who writes nothing has written nothing";

  auto before = *found;
  EXPECT_TRUE(test::eventually([&] {
    const auto after = writes_below(init->pid()).value_or(JailWrites());
    EXPECT_EQ(after.processes, found->processes) << "nobody has come or gone";
    return std::exchange(before, after).activity == after.activity;
  })) << "everybody falls asleep";
  const auto some = writes_below(init->pid(), 3);
  ASSERT_TRUE(some);
  EXPECT_FALSE(some->whole) << "four processes, each with a thread, are more than three";
  ::close(said[0]);
  ::close(said[1]);
}

TEST(BytesWritten, OfNobodyIsAnError) { EXPECT_FALSE(writes_below(0x3fffff)); }

TEST(LastNumber, OfTheLineOfThatName) {
  EXPECT_EQ(last_number_of("cancelled_write_bytes: 1\nwrite_bytes: 23\n", "write_bytes"), 23U);
  EXPECT_EQ(last_number_of("NSpid:\t2452\t7\n", "NSpid"), 7U);
  EXPECT_EQ(last_number_of("NSpid:\n", "NSpid"), 0U);
  EXPECT_EQ(last_number_of("", "NSpid"), 0U);
}

}  // namespace
}  // namespace evojail
