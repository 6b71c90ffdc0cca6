#include "service/detached.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <vector>

#include "config/layout.hpp"
#include "jail/own_program.hpp"
#include "kernel/pidfd.hpp"
#include "service/failure_notice.hpp"
#include "service/notify_socket.hpp"
#include "store/host_check.hpp"

namespace evojail {
namespace {

/// As systemd's TimeoutStartSec: a first start may build the base image.
constexpr std::chrono::seconds kPatience{90};

/// What a supervisor needs of the environment, and nothing of whoever happened to start it.
std::vector<std::string> clean_environment(const std::string& notify_address) {
  std::vector<std::string> environment{
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "NOTIFY_SOCKET=" + notify_address};
  for (const char* name : {"TZ",
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
                           "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"
#endif
       }) {
    if (const char* value = std::getenv(name))
      environment.push_back(fmt::format("{}={}", name, value));
  }
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (auto& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

/// posix_spawn(3)'s two parts, destroyed with the object.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  /// A session of its own, no signal blocked or ignored, nothing open but `log` and /dev/null.
  [[nodiscard]] int prepare(int log) {
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    for (const int step :
         {::posix_spawnattr_setflags(
              &attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF),
          ::posix_spawnattr_setsigmask(&attributes_, &none),
          ::posix_spawnattr_setsigdefault(&attributes_, &all),
          ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0),
          ::posix_spawn_file_actions_adddup2(&actions_, log, 1),
          ::posix_spawn_file_actions_adddup2(&actions_, log, 2),
          ::posix_spawn_file_actions_addclosefrom_np(&actions_, 3),
          ::posix_spawn_file_actions_addchdir_np(&actions_, "/")}) {
      if (step != 0) return step;
    }
    return 0;
  }

  [[nodiscard]] int spawn(pid_t& pid, const std::string& program, std::vector<std::string> words,
                          std::vector<std::string> environment) const {
    return ::posix_spawn(&pid, program.c_str(), &actions_, &attributes_, pointers(words).data(),
                         pointers(environment).data());
  }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was killed by signal {}", WTERMSIG(status));
  return fmt::format("ended with status {}", WEXITSTATUS(status));
}

/// Waits for the supervisor's word, or for its end.
Result<void> wait_for_ready(NotifySocket& notices, pid_t pid, int pidfd, const JailPaths& paths) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::optional<Error> failure;
  for (;;) {
    std::array<pollfd, 2> events{{{notices.fd(), POLLIN, 0}, {pidfd, POLLIN, 0}}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    const int count =
        ::poll(events.data(), events.size(), static_cast<int>(std::max(left.count(), 0L)));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail_errno("waiting for", "the jail's supervisor");
    // Its last word comes before its end.
    for (;;) {
      TRY(const auto text, notices.receive(pid));
      if (!text) break;
      auto notice = parse_notice(*text);
      if (notice.ready) return {};
      if (notice.failure) failure = std::move(notice.failure);
    }
    if ((events[1].revents & POLLIN) != 0) {
      int status = 0;
      ::waitpid(pid, &status, 0);
      if (failure) return std::unexpected(std::move(*failure));
      return std::unexpected(Error(fmt::format("the supervisor {}", how_it_ended(status)))
                                 .hint(fmt::format("its last words are in '{}'", paths.log)));
    }
    if (count == 0) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      return std::unexpected(
          Error(fmt::format("the supervisor was not ready within {} seconds", kPatience.count()))
              .hint(fmt::format("its last words are in '{}'", paths.log)));
    }
  }
}

}  // namespace

Result<void> start_detached(const ServiceHost& service, const std::string& name) {
  const JailPaths paths(service.host, name);
  CHECK(make_run_dirs(service.host));
  TRY(const Fd log, open_path(paths.log, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0640));
  TRY(const std::string program, own_program());
  TRY(auto notices, NotifySocket::open());

  std::vector<std::string> words{"evojail"};
  if (!service.settings_file.empty()) {
    words.insert(words.end(), {"--config", service.settings_file});
  }
  words.insert(words.end(), {"run", name});

  SpawnPlan plan;
  pid_t pid = 0;
  int code = plan.prepare(log.get());
  if (code == 0) code = plan.spawn(pid, program, words, clean_environment(notices.address()));
  if (code != 0) return fail_errno("starting", program, code);
  const auto pidfd = open_pidfd(pid);
  if (!pidfd) return fail_errno("watching", "the jail's supervisor", pidfd.error().code());
  return wait_for_ready(notices, pid, pidfd->get(), paths);
}

}  // namespace evojail
