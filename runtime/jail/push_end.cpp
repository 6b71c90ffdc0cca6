#include "jail/push_end.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base/parse.hpp"
#include "base/printable.hpp"
#include "jail/own_program.hpp"

namespace evojail {
namespace {

using nlohmann::json;

constexpr std::size_t output_limit = 4 << 20;
constexpr int stop_patience_ms = 1000;

bool is_rsync(std::string_view word) {
  const auto slash = word.find_last_of('/');
  return (slash == std::string_view::npos ? word : word.substr(slash + 1)) == "rsync";
}

/// The letters of "-nlogDtpre.iLsfxCIvu" up to the ones behind "e.", which are no options.
bool is_dry_run(std::string_view word) {
  if (!word.starts_with('-') || word.starts_with("--")) return false;
  return word.substr(0, word.find("e.")).contains('n');
}

[[noreturn]] void run_program(const std::vector<char*>& words, int output) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // Nobody waits for it, as for the incs of the timer.
  ::setpriority(PRIO_PROCESS, 0, 10);
  ::unsetenv("NOTIFY_SOCKET");
  const int input = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (input < 0 || ::dup2(input, STDIN_FILENO) < 0 || ::dup2(output, STDOUT_FILENO) < 0) {
    ::_exit(127);
  }
  ::execv(words.front(), words.data());
  ::_exit(127);
}

/// What `evojail inc --json` printed on its one jail.
std::string describe(const std::string& text, const ExitStatus& status) {
  try {
    const json document = json::parse(text);
    const std::string inc = document.at("inc").get<std::string>();
    const json& jail = document.at("jails").at(0);
    const std::string word = jail.at("status").get<std::string>();
    if (word == "taken") {
      const bool partial = jail.at("record").at("partial").get<bool>();
      return fmt::format("took inc '{}' at the end of a push{}", inc, partial ? ", partial" : "");
    }
    if (word == "exists") {
      return fmt::format("a push has ended, and inc '{}' exists already: it waits for the next inc",
                         inc);
    }
    if (word == "no_policy") return "no inc at the end of a push: the jail has no incs_policy";
    const std::string error = jail.at("error").is_string() ? jail.at("error") : json(word);
    return "no inc at the end of a push: " + error;
  } catch (const json::exception&) {
    return fmt::format("no inc at the end of a push: evojail inc ended by {} {}",
                       status.exited ? "exit" : "signal", status.value);
  }
}

}  // namespace

bool is_push(std::string_view command, std::string_view outcome) {
  if (outcome != "exit 0" && outcome != "exit 24") return false;
  const auto words = split_words(command, " ");
  const auto program = std::ranges::adjacent_find(words, [](const auto& word, const auto& next) {
    return is_rsync(word) && next == "--server";
  });
  if (program == words.end()) return false;
  for (auto word = program + 2; word != words.end() && word->starts_with('-'); ++word) {
    if (*word == "--sender" || is_dry_run(*word)) return false;
  }
  return true;
}

Result<void> PushEndIncs::attach() {
  if (!state_.process) return {};
  return loop_.watch(state_.process.pidfd(), [this] { on_ended(); });
}

void PushEndIncs::want() {
  if (stopped_) return;
  state_.again = static_cast<bool>(state_.process);
  if (state_.again) return;
  if (const auto started = start(); !started) {
    log_(LogLevel::error, "no inc at the end of a push: " + started.error().message());
  }
}

Result<void> PushEndIncs::start() {
  TRY(std::string program, own_program());
  std::vector<std::string> words{program};
  words.insert(words.end(), words_.begin(), words_.end());
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  // A file, not a pipe: nobody has to read along, and a reload loses nothing.
  state_.output = Fd(::memfd_create("evojail-inc", MFD_CLOEXEC));
  if (!state_.output) return fail_errno("making", "a memory file");
  TRY(state_.process,
      clone_process(0, [&]() -> int { run_program(arguments, state_.output.get()); }));
  return attach();
}

void PushEndIncs::on_ended() {
  loop_.unwatch(state_.process.pidfd());
  const auto status = state_.process.wait();
  if (status) {
    report(*status);
  } else {
    log_(LogLevel::error, status.error().message());
    state_.process.release();
  }
  state_.output.reset();
  if (std::exchange(state_.again, false)) want();
}

void PushEndIncs::report(const ExitStatus& status) {
  std::string text;
  if (::lseek(state_.output.get(), 0, SEEK_SET) == 0) {
    text = read_all(state_.output.get(), "the output of evojail inc", output_limit).value_or("");
  }
  const bool well = status.exited && status.value == 0;
  log_(well ? LogLevel::info : LogLevel::warning, printable(describe(text, status), 1000));
}

void PushEndIncs::stop() {
  stopped_ = true;
  state_.again = false;
  if (!state_.process) return;
  loop_.unwatch(state_.process.pidfd());
  [[maybe_unused]] const auto killed = state_.process.signal(SIGKILL);
  // A moment, so that whoever asked for the stop finds the jail's lock free. One that waits for a
  // disk is not waited for: it dies with its system call.
  pollfd ended{.fd = state_.process.pidfd(), .events = POLLIN, .revents = 0};
  if (::poll(&ended, 1, stop_patience_ms) == 1) {
    [[maybe_unused]] const auto reaped = state_.process.wait();
  } else {
    state_.process.release();
  }
}

}  // namespace evojail
