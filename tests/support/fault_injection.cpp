#include "support/fault_injection.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <stdexcept>
#include <vector>

#include "base/fd.hpp"

namespace evojail::test {
namespace {

struct WatchedCall {
  unsigned number;
  const char* name;
};

#define WATCHED(call) \
  WatchedCall { SYS_##call, #call }
constexpr std::array changing{
    WATCHED(mkdirat),   WATCHED(symlinkat), WATCHED(linkat),    WATCHED(unlinkat),
    WATCHED(renameat2), WATCHED(renameat),  WATCHED(mknodat),   WATCHED(write),
    WATCHED(pwrite64),  WATCHED(fsync),     WATCHED(fdatasync), WATCHED(syncfs),
    WATCHED(fchmod),    WATCHED(fchmodat),  WATCHED(fchown),    WATCHED(fchownat),
    WATCHED(utimensat), WATCHED(setxattr),  WATCHED(fsetxattr), WATCHED(lsetxattr),
    WATCHED(ioctl),     WATCHED(ftruncate), WATCHED(fallocate), WATCHED(copy_file_range),
#ifdef __x86_64__
    WATCHED(mkdir),     WATCHED(symlink),   WATCHED(link),      WATCHED(unlink),
    WATCHED(rmdir),     WATCHED(rename),    WATCHED(chmod),     WATCHED(chown),
#endif
};
constexpr std::array looking{
    WATCHED(newfstatat), WATCHED(fstat),      WATCHED(statx),      WATCHED(statfs),
    WATCHED(fstatfs),    WATCHED(read),       WATCHED(pread64),    WATCHED(getdents64),
    WATCHED(readlinkat), WATCHED(getxattr),   WATCHED(fgetxattr),  WATCHED(lgetxattr),
    WATCHED(listxattr),  WATCHED(flistxattr), WATCHED(llistxattr), WATCHED(openat2),
    WATCHED(faccessat),  WATCHED(faccessat2),
#ifdef __x86_64__
    WATCHED(stat),       WATCHED(lstat),      WATCHED(open),       WATCHED(access),
    WATCHED(readlink),
#endif
};
#undef WATCHED

std::span<const WatchedCall> all_of(Calls calls) {
  if (calls == Calls::looking) return looking;
  return changing;
}

/// The watched calls, and openat by whether it may create a file, with a name or without.
std::vector<sock_filter> make_filter(Calls calls) {
  std::vector<sock_filter> filter;
  const auto load = [&](std::size_t offset) {
    filter.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset)));
  };
  load(offsetof(seccomp_data, nr));
  for (const auto& call : all_of(calls)) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call.number, 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
  }
  filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 1, 0));
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  load(offsetof(seccomp_data, args[2]));
  const bool creating = calls == Calls::changing;
  filter.push_back(
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT | (O_TMPFILE & ~O_DIRECTORY), 0, 1));
  filter.push_back(
      BPF_STMT(BPF_RET | BPF_K, creating ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW));
  filter.push_back(
      BPF_STMT(BPF_RET | BPF_K, creating ? SECCOMP_RET_ALLOW : SECCOMP_RET_USER_NOTIF));
  return filter;
}

const char* name_of(Calls calls, int number) {
  for (const auto& call : all_of(calls)) {
    if (call.number == static_cast<unsigned>(number)) return call.name;
  }
  return "openat";
}

void send_fd(int channel, int fd) {
  char byte = 0;
  iovec data{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  if (::sendmsg(channel, &message, 0) != 1) ::_exit(98);
}

Fd receive_fd(int channel) {
  char byte = 0;
  iovec data{.iov_base = &byte, .iov_len = 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != 1) {
    throw std::runtime_error("the child installed no filter");
  }
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) {
    throw std::runtime_error("the child sent no descriptor");
  }
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return Fd(fd);
}

[[noreturn]] void run_child(int channel, Calls calls, const std::function<int()>& work) {
  std::vector<sock_filter> filter = make_filter(calls);
  const sock_fprog program{.len = static_cast<unsigned short>(filter.size()),
                           .filter = filter.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) ::_exit(99);
  const long listener =
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
  if (listener < 0) ::_exit(99);
  send_fd(channel, static_cast<int>(listener));
  ::close(static_cast<int>(listener));
  ::close(channel);
  ::_exit(work());
}

/// Answers the child's calls until it has none left.
void answer_calls(pid_t child, int listener, const Fault& fault, FaultRun& run) {
  for (;;) {
    pollfd waiting{.fd = listener, .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, -1) < 0) {
      if (errno == EINTR) continue;
      throw std::runtime_error("poll failed");
    }
    if ((waiting.revents & POLLIN) == 0) return;
    seccomp_notif call{};
    if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) continue;  // it died in between
    seccomp_notif_resp answer{};
    answer.id = call.id;
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    const bool first = ++run.calls == fault.at;
    if (first) {
      run.hit = true;
      run.call = name_of(fault.calls, call.data.nr);
    }
    if (first && fault.meanwhile) {
      fault.meanwhile();
    } else if (first && fault.error == 0) {
      ::kill(child, SIGKILL);
      return;
    } else if (fault.error != 0 && (first || (fault.onward && run.hit))) {
      answer.flags = 0;
      answer.error = -fault.error;
    }
    ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
}

}  // namespace

FaultRun run_with_fault(const std::function<int()>& work, const Fault& fault) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    throw std::runtime_error("socketpair failed");
  }
  const Fd mine(pair[0]);
  Fd theirs(pair[1]);
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) run_child(theirs.get(), fault.calls, work);
  theirs.reset();
  FaultRun run;
  {
    const Fd listener = receive_fd(mine.get());
    answer_calls(child, listener.get(), fault, run);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw std::runtime_error("waitpid failed");
  }
  run.killed = WIFSIGNALED(status);
  if (WIFEXITED(status)) run.status = WEXITSTATUS(status);
  return run;
}

}  // namespace evojail::test
