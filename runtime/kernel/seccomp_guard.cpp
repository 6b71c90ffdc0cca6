#include "kernel/seccomp_guard.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cerrno>
#include <cstddef>

namespace evojail {
namespace {

FilterInstruction load(std::size_t offset) {
  return {.code = BPF_LD | BPF_W | BPF_ABS,
          .jump_true = 0,
          .jump_false = 0,
          .operand = static_cast<std::uint32_t>(offset)};
}

}  // namespace

std::vector<FilterInstruction> missing_syscall_guard(std::uint32_t audit_architecture,
                                                     const SyscallRanges& ranges) {
  // Jumps are relative and eight bits wide; with four instructions a range there is room for sixty.
  std::vector<FilterInstruction> ranged;
  for (const auto& [first, last] : ranges) {
    ranged.push_back({BPF_JMP | BPF_JGE | BPF_K, 0, 2, first});
    ranged.push_back({BPF_JMP | BPF_JGT | BPF_K, 1, 0, last});
    ranged.push_back({BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS});
  }
  std::vector<FilterInstruction> guard{
      load(offsetof(seccomp_data, arch)),
      {BPF_JMP | BPF_JEQ | BPF_K, 0, static_cast<std::uint8_t>(ranged.size() + 1),
       audit_architecture},
      load(offsetof(seccomp_data, nr)),
  };
  guard.insert(guard.end(), ranged.begin(), ranged.end());
  return guard;
}

}  // namespace evojail
