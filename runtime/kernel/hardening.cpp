#include "kernel/hardening.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

namespace evojail {

Result<void> join_new_session_keyring() {
  if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) >= 0) return {};
  return fail_errno("joining", "a new session keyring");
}

Result<void> die_with_parent() {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0) return {};
  return fail_errno("setting", "the parent death signal");
}

Result<void> forbid_tracing() {
  if (::prctl(PR_SET_DUMPABLE, 0) == 0) return {};
  return fail_errno("clearing", "the dumpable attribute");
}

Result<void> adopt_orphans() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0) return {};
  return fail_errno("becoming", "a child subreaper");
}

Result<void> close_descriptors_from(unsigned first) {
  if (::syscall(SYS_close_range, first, ~0U, 0) == 0) return {};
  return fail_errno("closing", "inherited descriptors");
}

Result<void> keep_only(std::span<const int> wanted) {
  const int count = static_cast<int>(wanted.size());
  std::vector<int> copies;
  // Above their places first, so that none is overwritten before it is in its own.
  for (const int fd : wanted) {
    copies.push_back(::fcntl(fd, F_DUPFD, count));
    if (copies.back() < 0) return fail_errno("duplicating descriptor", std::to_string(fd));
  }
  for (int place = 0; place < count; ++place) {
    if (::dup2(copies[static_cast<std::size_t>(place)], place) < 0) {
      return fail_errno("placing descriptor", std::to_string(place));
    }
  }
  return close_descriptors_from(static_cast<unsigned>(count));
}

Result<void> limit_resource(int resource, std::uint64_t value) {
  const auto which = static_cast<__rlimit_resource>(resource);
  rlimit limit{};
  if (::getrlimit(which, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max = std::min<rlim_t>(value, limit.rlim_max);
    if (::setrlimit(which, &limit) == 0) return {};
  }
  return fail_errno("setting resource limit", std::to_string(resource));
}

}  // namespace evojail
