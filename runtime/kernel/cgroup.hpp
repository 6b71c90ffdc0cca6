#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace evojail {

/// Limits of one jail's cgroup (cgroups(7); Documentation/admin-guide/cgroup-v2).
struct CgroupLimits {
  std::uint64_t memory_max = 0;  ///< bytes; 0: no limit
  std::uint64_t processes = 0;   ///< pids.max
  unsigned cpu_weight = 100;     ///< 1 to 10000
  unsigned io_weight = 100;      ///< 1 to 10000
};

/// The cgroup v2 directory that was delegated to this process (systemd's Delegate=yes, known by its
/// xattr trusted.delegate or user.delegate), with two children: `supervisor`, which this process
/// moves into, and `jail`, which has the limits. nullopt where nothing is delegated, or the
/// controllers memory, pids and cpu are not. After a reload it finds its way back from
/// `supervisor`.
/// @return the `jail` child, for clone_process().
[[nodiscard]] Result<std::optional<Fd>> make_jail_cgroup(const CgroupLimits& limits);

/// The path behind "0::" in the text of /proc/PID/cgroup, the v2 hierarchy's.
[[nodiscard]] std::optional<std::string> unified_cgroup(std::string_view text);

}  // namespace evojail
