#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "kernel/seccomp.hpp"

namespace evojail {
namespace {

static_assert(sizeof(FilterInstruction) == sizeof(sock_filter));

/// ENOTSUPP, which the kernel keeps to itself otherwise: machine code is a must
/// (CONFIG_BPF_JIT_ALWAYS_ON), and there is none.
constexpr int kNotSupported = 524;

/// @return what seccomp(2) returns: 0, or a listener.
Result<int> set_mode_filter(const Filter& filter, unsigned long flags) {
  if (filter.program.empty() ||
      filter.program.size() > std::numeric_limits<decltype(sock_fprog::len)>::max()) {
    return fail_errno("installing", "a seccomp filter", EINVAL);
  }
  std::vector<sock_filter> program;
  program.reserve(filter.program.size());
  for (const FilterInstruction& instruction : filter.program) {
    program.push_back(
        {instruction.code, instruction.jump_true, instruction.jump_false, instruction.operand});
  }
  const sock_fprog described{.len = static_cast<unsigned short>(program.size()),
                             .filter = program.data()};
  const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &described);
  if (result < 0) {
    const int code = errno;
    Error error = Error::system("installing", "a seccomp filter", code);
    if (code == EINVAL) {
      error = std::move(error).hint("Linux 6.1 or newer with CONFIG_SECCOMP_FILTER is needed");
    } else if (code == EACCES) {
      error = std::move(error).hint("no_new_privs must be set first");
    } else if (code == kNotSupported) {
      error = std::move(error).hint(
          "the kernel has no room left for the machine code of filters: who takes it? "
          "see sysctl net.core.bpf_jit_limit");
    }
    return std::unexpected(std::move(error));
  }
  return static_cast<int>(result);
}

}  // namespace

Result<void> install_filter(const Filter& filter) {
  CHECK(set_mode_filter(filter, 0));
  return {};
}

Result<Fd> install_filter_with_listener(const Filter& filter) {
  TRY(const int listener, set_mode_filter(filter, SECCOMP_FILTER_FLAG_NEW_LISTENER |
                                                      SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));
  return Fd(listener);
}

}  // namespace evojail
