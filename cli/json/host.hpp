#pragma once

#include <string>
#include <vector>

#include "config/profile.hpp"
#include "jail/base_image.hpp"
#include "kernel/profile_check.hpp"
#include "monitor/finding.hpp"

namespace evojail {

[[nodiscard]] std::string findings_json(const Findings& findings);
[[nodiscard]] std::string update_json(const BuildReport& build,
                                      const std::vector<std::string>& pruned);
[[nodiscard]] std::string profiles_json(const std::vector<std::string>& names,
                                        const std::vector<Profile>& profiles);
[[nodiscard]] std::string profile_check_json(const std::string& file,
                                             const std::vector<CompiledSize>& sizes);

}  // namespace evojail
