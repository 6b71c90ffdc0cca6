#include "kernel/pidfd.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <string>

namespace evojail {

Result<Fd> open_pidfd(pid_t pid) {
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) return fail_errno("opening process", std::to_string(pid));
  return pidfd;
}

Result<void> send_signal(int pidfd, pid_t pid, int number) {
  // By number: glibc 2.36 declares pidfd_send_signal() without extern "C".
  if (::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0) == 0) return {};
  return fail_errno("signalling process", std::to_string(pid));
}

}  // namespace evojail
