#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace evojail {

/// How a child ended, as waitid(2) tells it.
struct ExitStatus {
  bool exited = false;  ///< else killed by a signal
  int value = 0;        ///< exit code, or signal number
};

/// A child process that does not outlive its owner: killed and reaped with the object.
class ChildProcess {
 public:
  ChildProcess() noexcept = default;
  /// Takes over a child known by a pidfd.
  ChildProcess(pid_t pid, Fd pidfd) noexcept : pid_(pid), pidfd_(std::move(pidfd)) {}
  ChildProcess(ChildProcess&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() { end(); }

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// Readable when the child has ended.
  [[nodiscard]] int pidfd() const noexcept { return pidfd_.get(); }
  explicit operator bool() const noexcept { return pid_ > 0; }

  [[nodiscard]] Result<void> signal(int number) const;
  /// Gives the child up: whoever reaps all children answers for it from here on.
  pid_t release() noexcept;
  /// Waits for the end and reaps.
  [[nodiscard]] Result<ExitStatus> wait();

 private:
  void end() noexcept;

  pid_t pid_ = 0;
  Fd pidfd_;
};

/// clone3(2) with the CLONE_NEW* `flags`, without sharing memory: `body` runs in the child, its
/// result is the child's exit code. The child leaves by _exit(2), so no destructor of the parent's
/// runs twice.
[[nodiscard]] Result<ChildProcess> clone_process(std::uint64_t flags,
                                                 const std::function<int()>& body,
                                                 std::optional<int> cgroup = std::nullopt);

}  // namespace evojail
