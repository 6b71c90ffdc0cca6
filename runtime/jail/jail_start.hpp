#pragma once

#include <functional>

#include "config/jail_settings.hpp"
#include "jail/supervisor.hpp"
#include "jail/supervisor_state.hpp"

namespace evojail {

/// From settings to a running jail whose port answers: checks first, then changes. What was made is
/// unmade when a later step fails; the firewall's rules stay, since they follow the settings.
[[nodiscard]] Result<SupervisorState> start_jail_process(const SupervisorOptions& options);

/// Whether a running jail can go on with the settings `now` of the host, started with `then`.
[[nodiscard]] Result<void> check_places(const HostSettings& now, const HostSettings& then);

/// What a reload reads, checked as far as that goes before anything is changed: the settings of the
/// host and of the jail, the profile.
[[nodiscard]] Result<void> check_reload(const SupervisorOptions& options);

/// Makes a running jail follow its settings: firewall, keys, sshd_config, the rules for new
/// sessions, the port. What it cannot take up is undone: it goes on with those of `before`.
/// @param leave_port ends the sessions of the old port where the settings name another one. It is
///        called ahead of the new rules, which let nothing of theirs through, their end included.
[[nodiscard]] Result<JailSettings> apply_settings(const SupervisorOptions& options,
                                                  SupervisorState& state,
                                                  const JailSettings& before,
                                                  const std::function<void()>& leave_port);

}  // namespace evojail
