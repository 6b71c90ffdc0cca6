#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "kernel/seccomp_notify.hpp"

namespace evojail {

/// A jail process's mknod or mknodat of a device, taken down once: nothing that the caller changes
/// afterwards, its memory, its directory, its credentials, counts any more. Errors are the ones the
/// caller gets.
struct MknodRequest {
  Fd start;               ///< O_PATH: where the path begins, in the caller's root or directory
  std::string path;       ///< relative to it
  mode_t mode = 0;        ///< type and permissions, as the caller asked for
  mode_t umask = 0;       ///< the caller's
  dev_t device = 0;       ///< 0:0 is overlayfs's whiteout
  std::uint32_t uid = 0;  ///< the caller's file-system ids, as the host sees them
  std::uint32_t gid = 0;
};

/// Reads the request from /proc/PID. The caller must be asked about with still_waits() afterwards.
[[nodiscard]] Result<MknodRequest> read_mknod_request(const SyscallNotification& notification);

/// Ids and umask from the text of a /proc/PID/status (proc_pid_status(5)).
struct CallerStatus {
  std::uint32_t fsuid = 0;
  std::uint32_t fsgid = 0;
  mode_t umask = 0;
};
[[nodiscard]] Result<CallerStatus> parse_caller_status(std::string_view text);

/// A path cut into the directory (may be ".") and the last component; one that names no new entry
/// (empty, ".", "..", a trailing slash) fails as mknod(2) does.
struct SplitPath {
  std::string directory;
  std::string name;
};
[[nodiscard]] Result<SplitPath> split_new_path(std::string_view path);

}  // namespace evojail
