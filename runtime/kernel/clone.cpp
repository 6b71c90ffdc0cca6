#include "kernel/clone.hpp"

#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "kernel/pidfd.hpp"

namespace evojail {

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    end();
    pid_ = std::exchange(other.pid_, 0);
    pidfd_ = std::move(other.pidfd_);
  }
  return *this;
}

Result<void> ChildProcess::signal(int number) const {
  return send_signal(pidfd_.get(), pid_, number);
}

Result<ExitStatus> ChildProcess::wait() {
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) != 0) {
    if (errno != EINTR) return fail_errno("waiting for process", std::to_string(pid_));
  }
  pid_ = 0;
  pidfd_.reset();
  return ExitStatus{info.si_code == CLD_EXITED, info.si_status};
}

pid_t ChildProcess::release() noexcept {
  pidfd_.reset();
  return std::exchange(pid_, 0);
}

void ChildProcess::end() noexcept {
  if (pid_ <= 0) return;
  [[maybe_unused]] const auto killed = send_signal(pidfd_.get(), pid_, SIGKILL);
  [[maybe_unused]] const auto reaped = wait();
}

Result<ChildProcess> clone_process(std::uint64_t flags, const std::function<int()>& body,
                                   std::optional<int> cgroup) {
  int pidfd = -1;
  clone_args args{};
  args.flags = flags | CLONE_PIDFD;
  args.pidfd = reinterpret_cast<std::uint64_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  if (cgroup) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<__u64>(*cgroup);
  }
  const long pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid < 0) return fail_errno("starting", "a process");
  if (pid == 0) ::_exit(body());
  return ChildProcess(static_cast<pid_t>(pid), Fd(pidfd));
}

}  // namespace evojail
