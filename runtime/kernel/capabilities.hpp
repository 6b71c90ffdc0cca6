#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/profile.hpp"

namespace evojail {

/// Capability numbers, as in linux/capability.h.
using Capabilities = std::vector<int>;

/// The profile's capabilities as numbers; a name that capabilities(7) does not have is an error
/// with the profile's file and line.
[[nodiscard]] Result<Capabilities> profile_capabilities(const Profile& profile);

/// Drops everything but `kept` from the calling thread's bounding set, and from its permitted and
/// effective sets; clears the inheritable and ambient sets. The kernel's own count of capabilities
/// is used, so one that this program's headers do not know is dropped as well. What is kept but was
/// not held stays absent. Needs CAP_SETPCAP.
[[nodiscard]] Result<void> limit_capabilities(const Capabilities& kept);

/// PR_SET_NO_NEW_PRIVS: execve(2) grants nothing any more, for this process and all that come from
/// it.
[[nodiscard]] Result<void> set_no_new_privs();

}  // namespace evojail
