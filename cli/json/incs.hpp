#pragma once

#include <string>
#include <vector>

#include "cli/removal_plan.hpp"
#include "store/holds.hpp"
#include "store/inc_verify.hpp"
#include "store/incs.hpp"

namespace evojail {

[[nodiscard]] std::string incs_json(const std::string& name, const std::vector<IncInfo>& incs,
                                    const std::vector<Hold>& holds);
[[nodiscard]] std::string inc_outcomes_json(const std::string& inc_name,
                                            const std::vector<IncOutcome>& outcomes);
[[nodiscard]] std::string removal_plans_json(const std::vector<RemovalPlan>& plans);
[[nodiscard]] std::string removal_outcomes_json(const std::vector<RemovalOutcome>& outcomes);
[[nodiscard]] std::string verification_json(const std::string& name, const std::string& inc,
                                            const IncVerification& verification);

}  // namespace evojail
