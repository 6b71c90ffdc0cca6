#pragma once

#include <cstdint>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace evojail {

/// Makes a user namespace with uid_map_of(base) for uids and gids, in which no further user
/// namespace can be made (user.max_user_namespaces is 0 there: what a nested one would open is shut
/// even where the system call filter were not). It serves twice: as the id map of the jail's mounts
/// and as the namespace that init enters. All uids in it together have at most `processes`
/// processes and threads (since Linux 5.14 RLIMIT_NPROC is kept by user namespace too:
/// kernel/ucount.c), which holds for good. Needs CAP_SETUID, CAP_SETGID and CAP_SETPCAP in the
/// caller's namespace.
[[nodiscard]] Result<Fd> make_user_namespace(std::uint32_t base, std::uint64_t processes);

/// setns(2) into it and become root there: uid 0, gid 0, no supplementary groups.
[[nodiscard]] Result<void> enter_user_namespace(int user_namespace);

}  // namespace evojail
