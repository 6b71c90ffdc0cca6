#include "jail/next_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "base/file.hpp"
#include "base/parse.hpp"
#include "base/printable.hpp"
#include "jail/jail_start.hpp"
#include "jail/own_program.hpp"
#include "kernel/clone.hpp"
#include "kernel/hardening.hpp"

namespace evojail {
namespace {

constexpr const char* state_variable = "EVOJAIL_STATE_FD";
/// Another one for a trial: a program that does not know it must not take the jail over.
constexpr const char* trial_variable = "EVOJAIL_TRY_STATE_FD";
constexpr int trial_fd = 3;
constexpr int trial_patience_ms = 20'000;

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (auto& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

std::optional<int> descriptor_in(const char* text) { return parse_number<int>(text, 3, 1 << 20); }

Result<std::optional<Fd>> passed_state(const char* variable) {
  const char* text = ::getenv(variable);
  if (text == nullptr) return std::nullopt;
  const auto fd = descriptor_in(text);
  ::unsetenv(variable);
  if (!fd) return fail(std::string(variable) + " is no descriptor");
  return Fd(*fd);
}

/// The child: the state in its place, its words into `said`, and nothing else of the supervisor's.
int trial(NextProgram next, int state, int said) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // Above the others first, so that none is overwritten before it is in its place.
  const int high_state = ::fcntl(state, F_DUPFD, trial_fd + 1);
  const int high_said = ::fcntl(said, F_DUPFD, trial_fd + 1);
  if (high_state < 0 || high_said < 0 || ::dup2(high_said, 1) < 0 || ::dup2(high_said, 2) < 0 ||
      ::dup2(high_state, trial_fd) < 0 || !close_descriptors_from(trial_fd + 1)) {
    return 126;
  }
  ::unsetenv("NOTIFY_SOCKET");
  ::unsetenv("JOURNAL_STREAM");
  ::setenv(trial_variable, std::to_string(trial_fd).c_str(), 1);
  ::execv(next.path.c_str(), pointers(next.words).data());
  return 127;
}

/// The last line that the program wrote, for a person.
std::string last_line(int said) {
  if (::lseek(said, 0, SEEK_SET) != 0) return {};
  const auto text = read_all(said, "output", 64 << 10);
  if (!text) return {};
  std::string_view line = trim(*text);
  const auto newline = line.find_last_of('\n');
  if (newline != std::string_view::npos) line.remove_prefix(newline + 1);
  constexpr std::string_view own = "evojail: ";
  if (line.starts_with(own)) line.remove_prefix(own.size());
  return printable(line);
}

}  // namespace

Result<NextProgram> find_next_program(const SupervisorOptions& options) {
  NextProgram next;
  TRY(next.path, own_program());
  next.words = {next.path};
  if (!options.settings_file.empty())
    next.words.insert(next.words.end(), {"--config", options.settings_file});
  next.words.insert(next.words.end(), {"run", options.name});
  return next;
}

Result<void> try_next_program(const NextProgram& next, int state) {
  const Fd said(::memfd_create("evojail-trial", MFD_CLOEXEC));
  if (!said) return fail_errno("making", "a memory file");
  TRY(auto child, clone_process(0, [&] { return trial(next, state, said.get()); }));
  pollfd ended{child.pidfd(), POLLIN, 0};
  int ready = 0;
  while ((ready = ::poll(&ended, 1, trial_patience_ms)) < 0 && errno == EINTR) {
  }
  const std::string what = "trying '" + next.path + "' before it takes the jail over: ";
  if (ready <= 0) return fail(what + "it did not come to an end");
  TRY(const auto status, child.wait());
  if (status.exited && status.value == 0) return {};
  const std::string words = last_line(said.get());
  if (!words.empty()) return fail(what + words);
  return fail(what + (status.exited ? "exit " : "signal ") + std::to_string(status.value));
}

Error execute_next_program(const NextProgram& next, int state) {
  NextProgram copy = next;
  if (::fcntl(state, F_SETFD, 0) != 0) return Error::system("handing over", "the state", errno);
  ::setenv(state_variable, std::to_string(state).c_str(), 1);
  ::execv(copy.path.c_str(), pointers(copy.words).data());
  const int code = errno;
  ::unsetenv(state_variable);
  return Error::system("executing", next.path, code);
}

Result<HostSettings> host_in_force(Result<HostSettings> today) {
  const char* variable = ::getenv(state_variable);
  const auto memory = variable == nullptr ? std::nullopt : descriptor_in(variable);
  if (!memory) return today;
  const auto text = peek_host_settings(*memory);
  // A supervisor of the version before handed none over.
  if (!text || text->empty()) return today;
  auto before = parse_host_settings(*text, "settings that were handed over");
  if (!before || (today && check_places(*today, *before))) return today;
  return before;
}

Result<std::optional<SupervisorState>> take_handed_over(const std::string& lock_path) {
  TRY(auto memory, passed_state(state_variable));
  if (!memory) return std::nullopt;
  return take_over(std::move(*memory), lock_path);
}

bool is_trial() { return ::getenv(trial_variable) != nullptr; }

Result<void> run_trial(const SupervisorOptions& options) {
  TRY(const auto memory, passed_state(trial_variable));
  if (!memory) return fail("no state to try");
  CHECK(check_state(memory->get()));
  return check_reload(options);
}

}  // namespace evojail
