#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace evojail {

/// Whether the tree engine can work on the volume that `dir` lies on: ext4 or xfs, and not mounted
/// lazytime, with which a changed file's ctime may be lost in a crash (rule 1).
[[nodiscard]] Result<void> check_tree_volume(int dir);

/// The options that a line of /proc/self/mountinfo (proc_pid_mountinfo(5)) gives for mount `id`,
/// those of the mount and those of its file system, with a comma before each; empty where no line
/// has the id.
[[nodiscard]] std::string mount_options(std::string_view mountinfo, std::uint64_t id);

}  // namespace evojail
