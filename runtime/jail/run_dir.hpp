#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "config/jail_settings.hpp"
#include "config/layout.hpp"

namespace evojail {

/// RUNDIR/NAME of a running jail: `port`, which it listens on, `ssh/` (mounted at /etc/ssh:
/// sshd_config, host keys) and `root/` (mounted at /root: .ssh/authorized_keys). The directories
/// belong to `base_uid`, the jail's root, and the jail sees them read-only. They are owned rather
/// than mounted with mapped ids because RUNDIR is a tmpfs, and a tmpfs has had idmapped mounts only
/// since Linux 6.3.

/// Makes or renews it from the jail's settings and keys, each file by rename: a new connection sees
/// the old file or the new one.
[[nodiscard]] Result<void> write_run_dir(const JailPaths& paths, const JailSettings& settings,
                                         bool sftp_only, std::uint32_t base_uid);

/// What `port` says; nullopt where there is none. A supervisor that was killed leaves it behind.
[[nodiscard]] Result<std::optional<std::uint16_t>> noted_port(const JailPaths& paths);

/// Takes it away. What is not there is fine.
[[nodiscard]] Result<void> remove_run_dir(const JailPaths& paths);

}  // namespace evojail
