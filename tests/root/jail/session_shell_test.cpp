#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "jail/session_report.hpp"
#include "jail/share_dir.hpp"
#include "program.hpp"

namespace evojail {
namespace {

using test::Outcome;
using test::ProgramOptions;
using test::run_program;
using ::testing::HasSubstr;
using Kind = SessionReport::Kind;

class SessionShell : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    test::enter_private_mounts();
    test::mount_or_throw("tmpfs", "/run", "tmpfs", 0);
  }

  void SetUp() override {
    ASSERT_EQ(::mkfifo(session_report_fifo, 0600), 0);
    fifo_ = open_path(session_report_fifo, O_RDWR | O_NONBLOCK).value();
  }
  void TearDown() override { ::unlink(session_report_fifo); }

  static std::string program() { return find_session_shell().value(); }

  static ProgramOptions as_sshd(std::string name) {
    return {.input = {},
            .environment = {"PATH=/usr/bin:/bin", "SSH_CONNECTION=192.0.2.7 50022 192.0.2.1 2222",
                            "SHELL=/usr/libexec/evojail/session-shell"},
            .name = std::move(name),
            .before_exec = {}};
  }

  static Outcome run_command(const std::string& command) {
    return run_program({program(), "-c", command}, as_sshd("session-shell"));
  }

  std::vector<SessionReport> reports() {
    std::vector<SessionReport> found;
    SessionReportReader reader;
    std::array<char, 4096> buffer{};
    for (;;) {
      const ssize_t got = ::read(fifo_.get(), buffer.data(), buffer.size());
      if (got <= 0) break;
      reader.feed({buffer.data(), static_cast<std::size_t>(got)},
                  [&](const SessionReport& report) { found.push_back(report); });
    }
    EXPECT_EQ(reader.rejected(), 0U);
    return found;
  }

  Fd fifo_;
};

TEST_F(SessionShell, EndsAsTheCommandDid) {
  for (const std::string command :
       {"true", "exit 3", "exit 255", "nosuchcommand", "kill -9 $$", "kill -TERM $$",
        "kill -SEGV $$", "kill -HUP $$", "(exit 7)", "echo out; echo err >&2; exit 1",
        "read line; echo \"got $line\"", "'unterminated", ""}) {
    ProgramOptions plain = as_sshd("sh");
    plain.input = "hello\n";
    ProgramOptions wrapped = as_sshd("session-shell");
    wrapped.input = "hello\n";
    const auto expected = run_program({"/bin/sh", "-c", command}, plain);
    const auto outcome = run_program({program(), "-c", command}, wrapped);
    // Whether a core was dumped is the one thing that does not carry over.
    EXPECT_EQ(outcome.status & ~0x80, expected.status & ~0x80) << command;
    std::string output = outcome.output;
    EXPECT_EQ(output, expected.output) << command;
    const auto told = reports();
    ASSERT_EQ(told.size(), 2U) << command;
    EXPECT_EQ(told[0].kind, Kind::begin);
    EXPECT_EQ(told[0].command, command);
    EXPECT_EQ(told[0].peer, "192.0.2.7");
    EXPECT_EQ(told[0].port, 50022);
    EXPECT_EQ(told[0].pid, told[1].pid);
    const bool signalled = WIFSIGNALED(expected.status);
    EXPECT_EQ(told[1].kind, signalled ? Kind::signalled : Kind::exited) << command;
    EXPECT_EQ(told[1].status, signalled ? WTERMSIG(expected.status) : WEXITSTATUS(expected.status));
  }
}

TEST_F(SessionShell, HasAFilterThatIsTheLast) {
  const std::string count = "sed -n 's/^Seccomp_filters:[^0-9]*//p' /proc/self/status";
  const auto before = run_program({"/bin/sh", "-c", count}, as_sshd("sh"));
  const auto within = run_command(count);
  EXPECT_TRUE(within.exited_with(0));
  EXPECT_EQ(std::stoi(within.output), std::stoi(before.output) + 1);
}

TEST_F(SessionShell, ALoginShellReadsCommands) {
  ProgramOptions options = as_sshd("-session-shell");
  options.input = "echo $0\nexit 4\n";
  const auto outcome = run_program({program()}, options);
  EXPECT_EQ(outcome.output, "-sh\n");
  EXPECT_TRUE(outcome.exited_with(4));
  const auto told = reports();
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].command, "");
  EXPECT_EQ(told[1].status, 4);
}

TEST_F(SessionShell, TheCommandMeetsWhatItWouldMeetUnderSh) {
  // Signal mask and dispositions, process group, descriptors, environment but for SHELL.
  const std::string look =
      "grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status; ls /proc/self/fd; env | grep -v SHELL= | "
      "sort; "
      "[ $(cut -d' ' -f5 /proc/$$/stat) = $(cut -d' ' -f5 /proc/$PARENT/stat) ] && echo same group";
  ProgramOptions plain = as_sshd("sh");
  plain.environment.push_back("PARENT=" + std::to_string(::getpid()));
  ProgramOptions wrapped = as_sshd("session-shell");
  wrapped.environment.push_back(plain.environment.back());
  plain.before_exec = wrapped.before_exec = [] {
    ::signal(SIGUSR1, SIG_IGN);
    sigset_t mask;
    ::sigemptyset(&mask);
    ::sigaddset(&mask, SIGUSR2);
    ::sigprocmask(SIG_SETMASK, &mask, nullptr);
  };
  const auto expected = run_program({"/bin/sh", "-c", look}, plain);
  const auto outcome = run_program({program(), "-c", look}, wrapped);
  EXPECT_EQ(outcome.output, expected.output);
  EXPECT_THAT(expected.output, HasSubstr("same group"));
  EXPECT_EQ(run_command("echo $SHELL").output, "/bin/sh\n");
}

TEST_F(SessionShell, NoFifoIsNoneOfTheSessionsBusiness) {
  ::unlink(session_report_fifo);
  EXPECT_TRUE(run_command("exit 5").exited_with(5));

  // A FIFO that nobody reads, then one that is full.
  ASSERT_EQ(::mkfifo(session_report_fifo, 0600), 0);
  EXPECT_TRUE(run_command("exit 5").exited_with(5));
  fifo_ = open_path(session_report_fifo, O_RDWR | O_NONBLOCK).value();
  const std::string page(4096, 'x');
  while (::write(fifo_.get(), page.data(), page.size()) > 0) {
  }
  EXPECT_TRUE(run_command("exit 5").exited_with(5));
}

TEST_F(SessionShell, ReportsGoIntoAFifoOnly) {
  const std::string target = "/run/target";
  ::unlink(session_report_fifo);
  ASSERT_TRUE(replace_file(session_report_fifo, "kept", 0600));
  EXPECT_TRUE(run_command("exit 5").exited_with(5));
  EXPECT_EQ(read_file(session_report_fifo).value(), "kept");
  ::unlink(session_report_fifo);
  ASSERT_EQ(::mkfifo(target.c_str(), 0600), 0);
  fifo_ = open_path(target, O_RDWR | O_NONBLOCK).value();
  ASSERT_EQ(::symlink(target.c_str(), session_report_fifo), 0);
  EXPECT_TRUE(run_command("exit 5").exited_with(5));
  EXPECT_TRUE(reports().empty());
  ::unlink(target.c_str());
}

TEST_F(SessionShell, SaysUnknownWhereSshdToldNothing) {
  for (const std::string connection :
       {"", "x", "192.0.2.7", "192.0.2.7 port", "192.0.2.7 99999 a b"}) {
    ProgramOptions options = as_sshd("session-shell");
    options.environment = {"SSH_CONNECTION=" + connection};
    EXPECT_TRUE(run_program({program(), "-c", "exit 6"}, options).exited_with(6));
    const auto told = reports();
    ASSERT_EQ(told.size(), 2U) << connection;
    EXPECT_EQ(told[0].peer, "UNKNOWN");
    EXPECT_EQ(told[0].port, 0);
  }
}

/// A session in a process group of its own, its output in a pipe.
struct Running {
  pid_t pid = -1;
  Fd output;

  /// Waits for a line that the command writes when it is ready.
  void wait_for(char c) const {
    char got = 0;
    while (::read(output.get(), &got, 1) == 1 && got != c) {
    }
    EXPECT_EQ(got, c);
  }
  [[nodiscard]] int end() const {
    int status = -1;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    return status;
  }
};

Running start(const std::string& program, const std::string& command) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  Running running{.pid = ::fork(), .output = Fd(ends[0])};
  if (running.pid == 0) {
    ::setpgid(0, 0);
    ::dup2(ends[1], 1);
    ::execl(program.c_str(), "session-shell", "-c", command.c_str(), nullptr);
    ::_exit(126);
  }
  ::close(ends[1]);
  return running;
}

TEST_F(SessionShell, HandsOnWhatIsMeantToEndIt) {
  for (const int signal : {SIGTERM, SIGHUP}) {
    const auto running =
        start(program(), "trap 'exit 9' TERM HUP; echo r; while :; do sleep 0.01; done");
    running.wait_for('r');
    ASSERT_EQ(::kill(running.pid, signal), 0);
    const int status = running.end();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 9) << status;
  }
}

TEST_F(SessionShell, OutlivesWhatTheTerminalSendsToAll) {
  for (const int signal : {SIGINT, SIGQUIT, SIGUSR1}) {
    // The command makes something of the signal: the shell is waited for, its own status handed on.
    const auto running =
        start(program(), "trap 'exit 9' INT QUIT USR1; echo r; while :; do sleep 0.01; done");
    running.wait_for('r');
    ASSERT_EQ(::kill(-running.pid, signal), 0);
    const int status = running.end();
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 9) << status;
    ASSERT_EQ(reports().size(), 2U);
  }
  // It makes nothing of it: both are gone, by the same signal.
  const auto running = start(program(), "echo r; exec sleep 100");
  running.wait_for('r');
  ASSERT_EQ(::kill(-running.pid, SIGINT), 0);
  const int status = running.end();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT) << status;
}

/// Reads a terminal until `text` has come; false where it ends before.
bool read_until(int terminal, std::string& seen, const std::string& text) {
  while (seen.find(text) == std::string::npos) {
    pollfd wait{.fd = terminal, .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, 20000) <= 0) return false;
    std::array<char, 512> buffer{};
    const ssize_t got = ::read(terminal, buffer.data(), buffer.size());
    if (got <= 0) return false;
    seen.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return true;
}

void type(int terminal, const std::string& text) {
  ASSERT_EQ(::write(terminal, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

TEST_F(SessionShell, OnATerminalItIsAShellLikeAnyOther) {
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  ASSERT_GE(child, 0);
  if (child == 0) {
    // A test that runs in the background may have been born with the key's signal ignored or
    // blocked.
    std::signal(SIGINT, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execl(program().c_str(), "-session-shell", nullptr);
    ::_exit(126);
  }
  const Fd owner(terminal);
  std::string seen;
  ASSERT_TRUE(read_until(terminal, seen, "# ")) << seen;
  // The interrupt key ends the command, not the shell. The command itself says that it runs:
  // between its fork and its execve(2) dash would swallow the signal.
  type(terminal, "sh -c 'echo sta\"\"rted; exec sleep 1000'\n");
  ASSERT_TRUE(read_until(terminal, seen, "started")) << seen;
  seen.clear();
  type(terminal, "\003");
  ASSERT_TRUE(read_until(terminal, seen, "# ")) << seen;
  type(terminal, "echo ali''ve; exit 0\n");
  ASSERT_TRUE(read_until(terminal, seen, "alive")) << seen;
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(SessionShell, AClosedTerminalEndsTheSession) {
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::execl(program().c_str(), "session-shell", "-c", "echo started; sleep 1000", nullptr);
    ::_exit(126);
  }
  Fd owner(terminal);
  std::string seen;
  ASSERT_TRUE(read_until(terminal, seen, "started")) << seen;
  owner.reset();
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP) << status;
}

}  // namespace
}  // namespace evojail
