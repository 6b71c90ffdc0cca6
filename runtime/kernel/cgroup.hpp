#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace evojail {

/// Limits of one jail's cgroup (cgroups(7); Documentation/admin-guide/cgroup-v2).
struct CgroupLimits {
  std::uint64_t memory_max = 0;  ///< bytes; 0: no limit
  std::uint64_t processes = 0;   ///< pids.max
};

/// What a jail gets beside the other jails where processor and disk are scarce, 1 to 10000.
struct CgroupWeights {
  unsigned cpu = 100;
  unsigned io = 100;
  bool operator==(const CgroupWeights&) const = default;
};

struct JailCgroup {
  Fd directory;  ///< of the `jail` child, for clone_process()
  /// Of the delegated cgroup itself, the one whose siblings are other jails'. They are not this
  /// process's to set: whoever delegated the cgroup sets them. A controller that is not there, or
  /// has no weights, is nullopt.
  std::optional<unsigned> cpu_weight;
  std::optional<unsigned> io_weight;
};

/// The cgroup v2 directory that was delegated to this process (systemd's Delegate=yes, known by its
/// xattr trusted.delegate or user.delegate), with two children: `supervisor`, which this process
/// moves into, and `jail`, which has the limits. nullopt where nothing is delegated, or the
/// controllers memory, pids and cpu are not. After a reload it finds its way back from
/// `supervisor`.
[[nodiscard]] Result<std::optional<JailCgroup>> make_jail_cgroup(const CgroupLimits& limits);

/// Takes away what make_jail_cgroup() made, where nothing runs in it, and puts this process back
/// where it was: for a start that fails.
void remove_jail_cgroup();

/// Those of memory, pids, cpu and io that do not bound the jail whose init this is: all of them
/// where it is in no cgroup that make_jail_cgroup() made.
[[nodiscard]] std::vector<std::string> missing_controllers(pid_t init);

/// The path behind "0::" in the text of /proc/PID/cgroup, the v2 hierarchy's.
[[nodiscard]] std::optional<std::string> unified_cgroup(std::string_view text);

}  // namespace evojail
