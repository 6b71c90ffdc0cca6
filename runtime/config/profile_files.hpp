#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/profile.hpp"

namespace evojail {

/// The names of the profiles in `directory`, sorted: its files NAME.json, whose name is
/// `[a-z][a-z0-9_-]*`. Whether they are valid is not looked at.
[[nodiscard]] Result<std::vector<std::string>> list_profiles(const std::string& directory);

/// Reads and parses a profile file, at most 1 MiB.
[[nodiscard]] Result<Profile> load_profile_file(const std::string& file);

/// The profile `name` of `directory`; one that is not there is an error that lists those that are.
[[nodiscard]] Result<Profile> load_profile(const std::string& directory, std::string_view name);

}  // namespace evojail
