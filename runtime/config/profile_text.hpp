#pragma once

#include <string>
#include <vector>

#include "config/profile.hpp"

namespace evojail {

/// One rule of a profile as a person reads it.
struct ProfileRow {
  std::string subject;  ///< "read, write", "CAP_CHOWN", "/data"
  std::string rule;     ///< "allowed where argument 1 = 0x5401 (low 32 bits)", "at most 1"
  std::string reason;   ///< the profile's comment; empty where it has none
};

struct ProfileSection {
  std::string title;
  std::vector<ProfileRow> rows;
};

/// The whole profile in the order in which a reviewer asks: what is allowed, what is refused and
/// how, then capabilities, programs, limits and mounts.
[[nodiscard]] std::vector<ProfileSection> describe_profile(const Profile& profile);

/// "argument 1 = 0x5401 (low 32 bits)"
[[nodiscard]] std::string describe_argument(const SeccompArgument& argument);

/// "x86_64", as uname(1) has it.
[[nodiscard]] std::string_view to_string(Architecture architecture);

}  // namespace evojail
