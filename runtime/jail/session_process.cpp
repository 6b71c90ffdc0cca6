#include "jail/session_process.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "kernel/hardening.hpp"

namespace evojail {
namespace {

Result<void> reset_signals() {
  sigset_t none;
  ::sigemptyset(&none);
  if (::sigprocmask(SIG_SETMASK, &none, nullptr) != 0) return fail_errno("clearing", "signal mask");
  // Whoever started the supervisor may have had some ignored (nohup, a job in the background), and
  // that survives an exec: the interrupt key of a terminal would be dead in every session.
  for (int number = 1; number <= SIGRTMAX; ++number) ::signal(number, SIG_DFL);
  return {};
}

Result<void> prepare(int connection, int log, const SessionRules& rules) {
  CHECK(keep_only(std::array{connection, connection, log}));
  if (::setsid() < 0) return fail_errno("starting", "a session");
  CHECK(reset_signals());
  CHECK(adopt_orphans());
  // That of whoever started the jail would decide about the modes of what clients make.
  ::umask(022);
  const auto set_limits = [&](bool of_memory) -> Result<void> {
    for (const auto& limit : rules.limits) {
      if ((limit.resource == RLIMIT_AS) != of_memory) continue;
      CHECK(limit_resource(limit.resource, limit.value));
    }
    return {};
  };
  CHECK(set_limits(false));
  CHECK(install_filter(rules.filter));
  // It is meant for what is executed next; a sanitizer in this program needs far more to go on.
  return set_limits(true);
}

int session_main(int connection, int log, const SessionRules& rules) {
  std::array<char*, 6> arguments{};
  std::array words{std::string("/usr/sbin/sshd"), std::string("-i"), std::string("-e"),
                   std::string("-f"), std::string("/etc/ssh/sshd_config")};
  for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
  std::string path = "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
  std::array<char*, 2> environment{path.data(), nullptr};
  if (const auto ready = prepare(connection, log, rules); !ready) {
    const std::string& hint = ready.error().hint();
    const std::string line = fmt::format("starting sshd: {}{}{}\n", ready.error().message(),
                                         hint.empty() ? "" : "; hint: ", hint);
    [[maybe_unused]] const auto said = write_all(2, "log", line);
    return 126;
  }
  ::execve(arguments[0], arguments.data(), environment.data());
  const std::string line = fmt::format("running sshd: {}\n", std::strerror(errno));
  [[maybe_unused]] const auto said = write_all(2, "log", line);
  return 127;
}

}  // namespace

Result<ChildProcess> start_session(int connection, int log, const SessionRules& rules) {
  return clone_process(0, [&] { return session_main(connection, log, rules); });
}

}  // namespace evojail
