#include "config/check_policy.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/file.hpp"
#include "base/parse.hpp"
#include "config/assignments.hpp"

namespace evojail {
namespace {

constexpr int kMostHours = 24 * 366 * 10;
constexpr std::string_view kHours = "a number of hours, 0 for never";

template <std::optional<unsigned> CheckPolicy::* Member>
bool hours(CheckPolicy& policy, std::string_view value) {
  // bkctld switches a threshold off by anything that is not above zero.
  const auto number = parse_number(value, -kMostHours, kMostHours);
  if (number) policy.*Member = static_cast<unsigned>(std::max(*number, 0));
  return number.has_value();
}

bool expected_state(CheckPolicy& policy, std::string_view value) {
  if (value != "ON" && value != "OFF") return false;
  policy.expected_on = value == "ON";
  return true;
}

constexpr std::array<SettingKey<CheckPolicy>, 3> kKeys = {{
    {"WARNING", kHours, hours<&CheckPolicy::warning_hours>},
    {"CRITICAL", kHours, hours<&CheckPolicy::critical_hours>},
    {"EXPECTED_STATE", "ON or OFF", expected_state},
}};

}  // namespace

Result<CheckPolicy> parse_check_policy(std::string_view text, std::string_view file) {
  TRY(const auto assignments, parse_assignments(text, file, ValueSyntax::plain));
  CheckPolicy policy;
  CHECK(apply_assignments<CheckPolicy>(assignments, file, kKeys, policy));
  return policy;
}

Result<CheckPolicy> load_check_policy(const std::string& file) {
  const Result<std::string> text = read_file(file);
  if (text) return parse_check_policy(*text, file);
  if (text.error().code() == ENOENT) return CheckPolicy{};
  return std::unexpected(text.error());
}

std::string_view new_check_policy() {
  return R"(# When a check finds fault with this jail; take the '#' away to set. Hours, 0: never.
#WARNING=24
#CRITICAL=48
# OFF: this jail should be stopped.
#EXPECTED_STATE=ON
)";
}

}  // namespace evojail
