#include "jail/supervisor_process.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include <chrono>

#include "base/directory.hpp"
#include "base/file.hpp"
#include "base/parse.hpp"
#include "jail/process_table.hpp"
#include "kernel/pidfd.hpp"

namespace evojail {
namespace {

/// A killed process ends at once, unless it waits for a disk.
constexpr std::chrono::seconds end_patience{30};

bool has_ended(const Fd& pidfd, std::chrono::milliseconds patience) {
  pollfd ended{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  int ready = 0;
  while ((ready = ::poll(&ended, 1, static_cast<int>(patience.count()))) < 0 && errno == EINTR) {
  }
  return ready == 1;
}

/// Whether one of the process's descriptors is the file that `lock` is, and has the lock on it.
bool holds(pid_t pid, const struct stat& lock) {
  const std::string proc = fmt::format("/proc/{}", pid);
  const auto dir = open_directory(proc + "/fd");
  if (!dir) return false;
  const auto names = list_directory(dir->get(), proc + "/fd");
  if (!names) return false;
  for (const std::string& name : *names) {
    struct stat held{};
    if (::fstatat(dir->get(), name.c_str(), &held, 0) != 0 || held.st_dev != lock.st_dev ||
        held.st_ino != lock.st_ino) {
      continue;
    }
    const auto info = read_file(fmt::format("{}/fdinfo/{}", proc, name), 4096);
    if (info && info->contains("FLOCK")) return true;
  }
  return false;
}

/// The jail's init: the child that is PID 1 of a namespace.
std::optional<pid_t> find_init(pid_t supervisor) {
  const auto proc = open_directory("/proc");
  const auto table = proc ? read_process_table(proc->get()) : std::unexpected(proc.error());
  if (!table) return std::nullopt;
  for (const auto& [pid, entry] : *table) {
    if (entry.parent != supervisor) continue;
    const auto status = read_file(fmt::format("/proc/{}/status", pid), 1 << 16);
    if (status && last_number_of(*status, "NSpid") == 1) return pid;
  }
  return std::nullopt;
}

}  // namespace

Result<std::optional<SupervisorProcess>> SupervisorProcess::find(const JailPaths& paths) {
  auto text = read_file(paths.run_lock, 64);
  struct stat lock{};
  if ((!text && text.error().code() == ENOENT) || ::stat(paths.run_lock.c_str(), &lock) != 0) {
    return std::nullopt;
  }
  CHECK(text);
  const auto pid = parse_number<pid_t>(trim(*text), 1, 1 << 22);
  if (!pid) return std::nullopt;
  auto pidfd = open_pidfd(*pid);
  if (!pidfd && pidfd.error().code() == ESRCH) return std::nullopt;
  if (!pidfd) return std::unexpected(std::move(pidfd).error());
  // In this order: what /proc said was said of the process that is signalled.
  if (!holds(*pid, lock) || has_ended(*pidfd, {})) return std::nullopt;
  return SupervisorProcess(*pid, std::move(*pidfd));
}

Result<void> SupervisorProcess::let_go_on() const {
  return send_signal(pidfd_.get(), pid_, SIGCONT);
}

Result<void> SupervisorProcess::kill() const {
  const auto init = find_init(pid_);
  const auto init_pidfd = init ? open_pidfd(*init) : Result<Fd>(Fd());
  CHECK(send_signal(pidfd_.get(), pid_, SIGKILL));
  if (!has_ended(pidfd_, end_patience)) {
    return fail(fmt::format("the supervisor, pid {}, was killed and waits for a disk", pid_));
  }
  // It dies with its parent (die_with_parent()), and all of its PID namespace with it.
  if (init_pidfd && *init_pidfd && !has_ended(*init_pidfd, end_patience)) {
    return fail(fmt::format("the jail's init, pid {}, has not ended with its supervisor", *init));
  }
  return {};
}

}  // namespace evojail
