#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "config/jail_settings.hpp"
#include "jail/supervisor.hpp"

namespace evojail {

/// What became of the limits that need cgroups.
struct AppliedLimits {
  std::optional<Fd> cgroup;             ///< for the jail's init
  std::vector<std::string> weaknesses;  ///< what is weaker than the settings say, a sentence each
};

/// Makes the jail's cgroup, or finds it again, and sets its limits; the weights against other jails
/// through SupervisorOptions::set_weights, where they are not what the settings say.
[[nodiscard]] Result<AppliedLimits> apply_limits(const SupervisorOptions& options,
                                                 const JailSettings& settings);

}  // namespace evojail
