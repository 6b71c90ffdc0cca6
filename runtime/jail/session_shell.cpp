// Root's login shell in every jail: runs /bin/sh as sshd would have, waits for it, ends as it
// ended, and reports both to the supervisor. It stands in for the shell, so nothing about a session
// may change with it: argument vector, process group, terminal, signals, exit status. It is a
// static program of its own, because it stays in memory beside every command. What it reports is
// the client's claim (session_report.hpp).

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "jail/filter_limit.hpp"
#include "jail/session_report.hpp"

namespace evojail {
namespace {

constexpr const char* shell = "/bin/sh";

struct Peer {
  std::string_view address = "UNKNOWN";
  std::uint16_t port = 0;
};

/// sshd(8), ENVIRONMENT: client address, client port, server address, server port.
Peer read_peer() {
  Peer peer;
  const char* variable = ::getenv("SSH_CONNECTION");
  if (variable == nullptr) return peer;
  const std::string_view text = variable;
  const auto blank = text.find(' ');
  if (blank == std::string_view::npos) return peer;
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  if (std::from_chars(text.data() + blank + 1, end, port).ec != std::errc{}) return peer;
  return {.address = text.substr(0, blank), .port = port};
}

/// One write(2) of less than PIPE_BUF: whole or not at all. A FIFO that is missing, full, read by
/// nobody or none at all is none of the session's business.
void send_report(std::string_view line) {
  const int fd =
      ::open(session_report_fifo, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return;
  struct stat st{};
  if (::fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
    [[maybe_unused]] const auto put = ::write(fd, line.data(), line.size());
  }
  ::close(fd);
}

/// sshd runs `SHELL -c COMMAND`, or the shell alone, its name behind a dash, for a login.
std::optional<std::string_view> command_of(int argc, char** argv) {
  if (argc >= 3 && std::strcmp(argv[1], "-c") == 0) return argv[2];
  if (argc >= 2) return argv[1];
  return std::nullopt;
}

/// A program's path and nothing that a shell would have to take apart.
bool is_plain_path(std::string_view command) {
  constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-";
  return command.starts_with('/') && command.find_first_not_of(plain) == std::string_view::npos;
}

void complain(const char* what, int code) {
  const char* text = ::strerrordesc_np(code);
  for (const char* part : {what, ": ", text == nullptr ? "failed" : text, "\n"}) {
    [[maybe_unused]] const auto put = ::write(STDERR_FILENO, part, std::strlen(part));
  }
}

[[noreturn]] void exec_shell(int argc, char** argv, const sigset_t& mask) {
  std::array name{'-', 's', 'h', '\0'};
  argv[0] = argv[0][0] == '-' ? name.data() : name.data() + 1;
  ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  ::execv(shell, argv);
  const int code = errno;
  // A profile without a shell: sshd asks for its one program by path.
  if (code == ENOENT && argc == 3 && std::strcmp(argv[1], "-c") == 0 && is_plain_path(argv[2])) {
    std::array<char*, 2> alone{argv[2], nullptr};
    ::execv(argv[2], alone.data());
  }
  complain(shell, code);
  ::_exit(127);
}

/// The shell with our own arguments and with the signal mask that we came with. Not posix_spawn(3):
/// it leaves the C library's own signals, 32 and 33, ignored in the child.
pid_t start_shell(int argc, char** argv, const sigset_t& mask) {
  const pid_t child = ::fork();
  if (child == 0) exec_shell(argc, argv, mask);
  return child;
}

/// Waits with every signal blocked. What the terminal or sshd sends goes to the process group, and
/// thus to the shell; what is meant for this process alone and would end a shell is handed on.
int wait_for_shell(pid_t child) {
  sigset_t all;
  ::sigfillset(&all);
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR) return W_EXITCODE(255, 0);
    const int signal = ::sigwaitinfo(&all, nullptr);
    if (signal == SIGTERM || signal == SIGHUP) ::kill(child, signal);
  }
}

/// Dies of the same signal, without a core file of this program.
[[noreturn]] void die_of(int signal) {
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  ::signal(signal, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::raise(signal);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::_exit(128 + signal);
}

int run(int argc, char** argv) {
  sigset_t all;
  sigset_t mask;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &mask);
  // An ignored SIGCHLD would let the kernel reap the shell, and its status with it.
  ::signal(SIGCHLD, SIG_DFL);
  ::setenv("SHELL", shell, 1);
  if (const int code = refuse_further_filters(); code != 0) {
    complain("limiting the session's filters", code);
    return 126;
  }

  const Peer peer = read_peer();
  const int self = ::getpid();
  std::array<char, session_report_limit> line{};
  send_report({line.data(),
               format_begin_report(line, peer.address, peer.port, self, command_of(argc, argv))});
  const pid_t child = start_shell(argc, argv, mask);
  const int status = child < 0 ? W_EXITCODE(126, 0) : wait_for_shell(child);
  const bool signalled = WIFSIGNALED(status);
  const int number = signalled ? WTERMSIG(status) : WEXITSTATUS(status);
  send_report(
      {line.data(), format_end_report(line, peer.address, peer.port, self, signalled, number)});
  if (signalled) die_of(number);
  return number;
}

}  // namespace
}  // namespace evojail

int main(int argc, char** argv) { return argc > 0 ? evojail::run(argc, argv) : 127; }
