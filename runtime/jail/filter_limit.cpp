#include "jail/filter_limit.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace evojail {

// Only the number decides for all calls but one, so that the kernel remembers its answer for them
// (seccomp_cache_prepare). Calls of other ABIs are the profile's to stop.
int refuse_further_filters() {
  static_assert(std::endian::native == std::endian::little);
  constexpr std::uint32_t refused = SECCOMP_RET_ERRNO | EPERM;
  std::array program{
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 3, 0),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, refused),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = program.size(), .filter = program.data()};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0) return 0;
  // A profile that does not let sessions install filters leaves nothing to refuse.
  return errno == EPERM || errno == ENOSYS ? 0 : errno;
}

}  // namespace evojail
