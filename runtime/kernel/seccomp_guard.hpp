#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "kernel/seccomp.hpp"

namespace evojail {

/// Inclusive ranges of system call numbers.
using SyscallRanges = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

/// The instructions that answer ENOSYS to `ranges` (sorted, apart) of calls of `audit_architecture`
/// (AUDIT_ARCH_*) and leave everything else to the program behind them. Only loads of arch and
/// number and comparisons with constants, which the kernel can evaluate ahead of time: a call that
/// is always allowed then never runs the filter at all (Linux 5.11, seccomp_cache_prepare).
[[nodiscard]] std::vector<FilterInstruction> missing_syscall_guard(std::uint32_t audit_architecture,
                                                                   const SyscallRanges& ranges);

}  // namespace evojail
