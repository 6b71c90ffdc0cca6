#pragma once

#include <sys/types.h>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace evojail {

/// pidfd_open(2). Where `pid` is no child of this process, another one may have taken over the
/// number: what is known of it is to be asked again afterwards.
[[nodiscard]] Result<Fd> open_pidfd(pid_t pid);

/// pidfd_send_signal(2); `pid` is for the message.
[[nodiscard]] Result<void> send_signal(int pidfd, pid_t pid, int number);

}  // namespace evojail
