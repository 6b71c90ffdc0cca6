#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "config/profile.hpp"
#include "kernel/capabilities.hpp"
#include "kernel/seccomp.hpp"

namespace evojail {

/// What a jail is made of, as values: decided by the supervisor before anything is changed, carried
/// out by init. All paths are the host's.
struct LaunchPlan {
  std::string name;             ///< also the jail's host name
  std::string base_image;       ///< the read-only tree of programs
  std::string ssh_dir;          ///< mounted at /etc/ssh: sshd_config and host keys
  std::string root_home;        ///< mounted at /root: authorized_keys
  std::string data;             ///< mounted with mapped ids at /data and /var/backup
  std::string var;              ///< mounted with mapped ids at /var
  std::uint32_t base_uid = 0;   ///< the jail's root, as the host sees it
  std::uint64_t processes = 0;  ///< of the whole jail, init included
  std::uint64_t tmp_size = 0;   ///< of /tmp, bytes
  std::uint64_t run_size = 0;   ///< of /run, bytes
  ProfileMounts mounts;         ///< flags of the jail's mounts
  Capabilities capabilities;    ///< what init and its sessions keep
  Filter mknod_filter;          ///< for init itself, see mknod_notify_filter()
};

[[nodiscard]] std::string encode(const LaunchPlan& plan);
/// Refuses what encode() of this version cannot have written.
[[nodiscard]] Result<LaunchPlan> decode_launch_plan(std::string_view bytes);

}  // namespace evojail
