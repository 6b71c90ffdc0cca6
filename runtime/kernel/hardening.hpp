#pragma once

#include <cstdint>
#include <span>

#include "base/result.hpp"

namespace evojail {

/// A new, empty session keyring instead of the inherited one (keyctl(2),
/// KEYCTL_JOIN_SESSION_KEYRING).
[[nodiscard]] Result<void> join_new_session_keyring();

/// SIGKILL when the parent dies (PR_SET_PDEATHSIG). The kernel clears it at a change of
/// credentials: set it after the last one.
[[nodiscard]] Result<void> die_with_parent();

/// No ptrace, no /proc/PID/{mem,fd,exe} for others (PR_SET_DUMPABLE 0). A change of credentials or
/// execve(2) may set it back: set it after the last one.
[[nodiscard]] Result<void> forbid_tracing();

/// The process takes in orphans of its own tree (PR_SET_CHILD_SUBREAPER); kept across execve(2).
[[nodiscard]] Result<void> adopt_orphans();

/// close_range(2) of everything from `first` up.
[[nodiscard]] Result<void> close_descriptors_from(unsigned first);

/// Descriptor i becomes a duplicate of wanted[i], kept across execve(2); every other one is closed.
[[nodiscard]] Result<void> keep_only(std::span<const int> wanted);

/// setrlimit(2), soft and hard. A hard limit that is lower already stays: the kernel makes some by
/// the size of memory, and only CAP_SYS_RESOURCE of the host raises them.
[[nodiscard]] Result<void> limit_resource(int resource, std::uint64_t value);

}  // namespace evojail
