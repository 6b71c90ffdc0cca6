#pragma once

#include <array>
#include <cstdint>

#include "kernel/seccomp.hpp"

namespace evojail::test {

/// What a seccomp filter sees of a call (linux/seccomp.h, struct seccomp_data).
struct SystemCall {
  std::uint32_t number = 0;
  std::uint32_t architecture = 0;  ///< AUDIT_ARCH_*
  std::array<std::uint64_t, 6> arguments{};
};

/// Runs the program as the kernel would and returns its answer (SECCOMP_RET_* with data). An
/// instruction that seccomp does not accept, a jump past the end or no return throws
/// std::runtime_error. Little-endian, as both processors of ours are.
[[nodiscard]] std::uint32_t evaluate(const Filter& filter, const SystemCall& call);

/// How many instructions that took.
[[nodiscard]] unsigned count_instructions(const Filter& filter, const SystemCall& call);

}  // namespace evojail::test
