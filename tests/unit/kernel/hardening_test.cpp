#include "kernel/hardening.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>

namespace evojail {
namespace {

/// In a child: its descriptors are its own to rearrange.
bool holds_in_child(const std::function<bool()>& holds) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(holds() ? 0 : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  return status == 0;
}

ino_t file_of(int fd) {
  struct stat state{};
  return ::fstat(fd, &state) == 0 ? state.st_ino : 0;
}

TEST(KeepOnly, DescriptorsMayStandInEachOthersPlaces) {
  EXPECT_TRUE(holds_in_child([] {
    std::array<int, 2> pipes{};
    if (::pipe2(pipes.data(), O_CLOEXEC) != 0) return false;
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (::dup2(pipes[0], 0) < 0 || ::dup2(null, 1) < 0) return false;
    const ino_t of_pipe = file_of(0);
    const ino_t of_null = file_of(1);
    return of_pipe != of_null && keep_only(std::array{1, 0, 1}).has_value() &&
           file_of(0) == of_null && file_of(1) == of_pipe && file_of(2) == of_null;
  }));
}

TEST(KeepOnly, OutlivesAnExecAndLeavesNothingElse) {
  EXPECT_TRUE(holds_in_child([] {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    const int high = ::fcntl(null, F_DUPFD, 100);
    return keep_only(std::array{null, null, null, null}).has_value() && ::fcntl(3, F_GETFD) == 0 &&
           ::fcntl(4, F_GETFD) < 0 && ::fcntl(high, F_GETFD) < 0;
  }));
}

TEST(KeepOnly, WhatIsNotOpenIsAnError) {
  EXPECT_TRUE(holds_in_child([] { return !keep_only(std::array{0, 987}).has_value(); }));
}

}  // namespace
}  // namespace evojail
