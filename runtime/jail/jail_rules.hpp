#pragma once

#include <string>

#include "config/jail_settings.hpp"
#include "config/layout.hpp"
#include "config/profile.hpp"
#include "jail/launch_plan.hpp"
#include "jail/session_rules.hpp"
#include "kernel/cgroup.hpp"
#include "kernel/firewall.hpp"

namespace evojail {

/// PROFILE of a jail's settings: share directory/profiles/NAME.json, parsed.
[[nodiscard]] Result<Profile> load_profile(const std::string& name);

/// Whether the profile offers SFTP and no shell.
[[nodiscard]] bool is_sftp_only(const Profile& profile);

/// Settings and profile, turned into what each layer is told. Nothing is looked up or changed.
[[nodiscard]] Result<LaunchPlan> plan_launch(const std::string& name, const JailPaths& paths,
                                             const JailSettings& settings, const Profile& profile,
                                             const std::string& base_image, std::uint32_t base_uid);
[[nodiscard]] Result<SessionRules> plan_sessions(const JailSettings& settings,
                                                 const Profile& profile);
[[nodiscard]] FirewallJail plan_firewall(const std::string& name, const JailSettings& settings,
                                         std::uint32_t base_uid);

/// Puts a jail's rules into the kernel. Rules that a jail which is no more has left on its port or
/// uids go; those of one that exists are an error.
[[nodiscard]] Result<void> apply_firewall(const HostSettings& host, const FirewallJail& jail);

[[nodiscard]] CgroupLimits plan_cgroup(const JailSettings& settings);
[[nodiscard]] CgroupWeights plan_weights(const JailSettings& settings);

}  // namespace evojail
