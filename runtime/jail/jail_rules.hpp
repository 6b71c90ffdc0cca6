#pragma once

#include <map>
#include <string>

#include "config/jail_settings.hpp"
#include "config/layout.hpp"
#include "config/profile.hpp"
#include "jail/compiled_profile.hpp"
#include "jail/launch_plan.hpp"
#include "jail/session_rules.hpp"
#include "jail/supervisor_state.hpp"
#include "kernel/cgroup.hpp"
#include "kernel/firewall.hpp"

namespace evojail {

/// All profiles and the files that hold them: CONFDIR/profiles/NAME.json, the administrator's, and
/// for names that are not there the program's own, share directory/profiles/NAME.json.
[[nodiscard]] Result<std::map<std::string, std::string>> find_profiles(const HostSettings& host);

/// The one that a jail's PROFILE names, parsed.
[[nodiscard]] Result<Profile> load_profile(const HostSettings& host, const std::string& name);

/// The same, compiled, and kept in DATADIR.
[[nodiscard]] Result<CompiledProfile> load_compiled_profile(const HostSettings& host,
                                                            const std::string& name);

/// Whether the profile offers SFTP and no shell.
[[nodiscard]] bool is_sftp_only(const CompiledProfile& profile);

/// Settings and profile, turned into what each layer is told. Nothing is looked up or changed.
[[nodiscard]] LaunchPlan plan_launch(const std::string& name, const JailPaths& paths,
                                     const JailSettings& settings, const CompiledProfile& profile,
                                     const std::string& base_image, std::uint32_t base_uid);
[[nodiscard]] SessionRules plan_sessions(const JailSettings& settings,
                                         const CompiledProfile& profile);
[[nodiscard]] FirewallJail plan_firewall(const std::string& name, const JailSettings& settings,
                                         std::uint32_t base_uid);

/// What init takes from settings and profile for the jail's life, in comparable form.
[[nodiscard]] LaunchedWith launched_with(const JailSettings& settings,
                                         const CompiledProfile& profile);

/// The names of what is another now than at the jail's start.
[[nodiscard]] std::vector<std::string> changes(const LaunchedWith& launched,
                                               const JailSettings& settings,
                                               const CompiledProfile& profile);

/// Puts a jail's rules into the kernel. Rules that a jail which is no more has left on its port or
/// uids go; those of one that exists are an error.
[[nodiscard]] Result<void> apply_firewall(const HostSettings& host, const FirewallJail& jail);

[[nodiscard]] CgroupLimits plan_cgroup(const JailSettings& settings);
[[nodiscard]] CgroupWeights plan_weights(const JailSettings& settings);

}  // namespace evojail
