#pragma once

#include <sys/types.h>

#include <optional>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "config/layout.hpp"

namespace evojail {

/// A jail's supervisor as a process, for when it does not answer: whoever holds
/// JailPaths::run_lock.
class SupervisorProcess {
 public:
  /// nullopt: no process holds the lock. The pid that the lock's file names is believed where that
  /// process has the lock (proc_pid_fdinfo(5)), and is then signalled by a pidfd only.
  static Result<std::optional<SupervisorProcess>> find(const JailPaths& paths);

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

  /// Lets it go on where it was stopped (SIGCONT).
  [[nodiscard]] Result<void> let_go_on() const;

  /// Kills it, and its jail with it. @return when neither is left.
  [[nodiscard]] Result<void> kill() const;

 private:
  SupervisorProcess(pid_t pid, Fd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}

  pid_t pid_;
  Fd pidfd_;
};

}  // namespace evojail
