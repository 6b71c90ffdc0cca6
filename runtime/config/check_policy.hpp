#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace evojail {

/// CONFDIR/NAME.d/check_policy, validated: when a check finds fault with this jail. Thresholds are
/// hours since the client's last sign of life; 0 switches one off, nothing leaves the host's own.
struct CheckPolicy {
  std::optional<unsigned> warning_hours;   ///< WARNING
  std::optional<unsigned> critical_hours;  ///< CRITICAL
  bool expected_on = true;                 ///< EXPECTED_STATE, ON or OFF

  bool operator==(const CheckPolicy&) const = default;
};

/// Parses check_policy in bkctld's grammar: `KEY=value` lines, `#` comments. An unknown key, a bad
/// value or a duplicate is an error that names `file`, the line and the accepted form.
[[nodiscard]] Result<CheckPolicy> parse_check_policy(std::string_view text, std::string_view file);

/// Reads and parses `file`; a file that is not there is a policy that leaves everything to the
/// host.
[[nodiscard]] Result<CheckPolicy> load_check_policy(const std::string& file);

/// The commented check_policy of a new jail.
[[nodiscard]] std::string_view new_check_policy();

}  // namespace evojail
