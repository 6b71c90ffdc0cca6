// What a session inherits from those who started it: descriptors, the working directory, the pipe
// that its log lines go to, a keyring.

#include <dirent.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "probe.hpp"

namespace evojail::attack {
namespace {

constexpr int kLog = 2;

/// A descriptor that somebody left open: this program's own are close-on-exec.
Outcome leaked_descriptor() {
  DIR* const directory = ::opendir("/proc/self/fd");
  if (directory == nullptr) return errno;
  while (const dirent* entry = ::readdir(directory)) {
    const int fd = std::atoi(entry->d_name);
    const int flags = ::fcntl(fd, F_GETFD);
    if (fd > 2 && fd != ::dirfd(directory) && (flags & FD_CLOEXEC) == 0) return 0;
  }
  return ENOENT;
}

Outcome leaked_directory() {
  char buffer[4096];
  if (::getcwd(buffer, sizeof buffer) == nullptr) return errno;
  return std::string_view(buffer) == "/" ? ENOENT : 0;
}

/// Whether a path leads out of the root by way of the working directory.
Outcome directory_above() {
  return outcome_of_fd(::open((above_root() + "etc/shadow").c_str(), O_RDONLY | O_CLOEXEC));
}

Outcome leaked_environment() { return std::getenv("ATTACK_SECRET") != nullptr ? 0 : ENOENT; }

Outcome truncate_log() { return outcome_of(::ftruncate(kLog, 0)); }

Outcome read_log() {
  return outcome_of_fd(::open("/proc/self/fd/2", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

Outcome search_session_keyring() {
  return outcome_of(
      ::syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "evojail-attack", 0));
}

Outcome add_key() {
  return outcome_of(::syscall(SYS_add_key, "user", "probe", "x", 1, KEY_SPEC_PROCESS_KEYRING));
}

Outcome request_key() {
  return outcome_of(
      ::syscall(SYS_request_key, "user", "evojail-attack", nullptr, KEY_SPEC_PROCESS_KEYRING));
}

constexpr Probe::Place kService = Probe::Place::service;
constexpr Probe::Place kSession = Probe::Place::session;
constexpr Probe kProbes[] = {
    {"leaked-descriptor", kService, leaked_descriptor},
    {"leaked-directory", kService, leaked_directory},
    {"leaked-environment", kService, leaked_environment},
    {"directory-above", kService, directory_above},
    {"log-truncate", kService, truncate_log},
    {"log-read", kService, read_log},
    {"keyring-search", kSession, search_session_keyring},
    {"keyring-request", kSession, request_key},
    {"keyring-add", kSession, add_key},
};

}  // namespace

std::span<const Probe> descriptor_probes() { return kProbes; }

}  // namespace evojail::attack
