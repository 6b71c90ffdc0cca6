#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>

#include "base/result.hpp"

namespace evojail {

/// A system call whose caller waits for an answer (seccomp_unotify(2)).
struct SyscallNotification {
  std::uint64_t id = 0;
  pid_t pid = 0;  ///< the calling thread, in the receiver's PID namespace
  int number = 0;
  std::array<std::uint64_t, 6> arguments{};
};

/// The next notification; nullopt where there is none: the caller died meanwhile. Never waits.
[[nodiscard]] Result<std::optional<SyscallNotification>> receive_notification(int listener);

/// Whether the caller is still the one that was notified about and still waits: to be asked after
/// everything that was opened by its pid, which may have been reused (seccomp_unotify(2)).
[[nodiscard]] bool still_waits(int listener, std::uint64_t id);

/// Lets the caller go on: its call returns 0, or fails with `error`. The call itself is never run
/// (SECCOMP_USER_NOTIF_FLAG_CONTINUE is not for security decisions). A caller that died is fine.
[[nodiscard]] Result<void> answer_notification(int listener, std::uint64_t id, int error);

}  // namespace evojail
