#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "retention/civil_date.hpp"
#include "retention/policy.hpp"
#include "retention/zone.hpp"

namespace evojail {

/// Now, in a time zone, and the days that policy lines name as seen from it. Lines are worked out
/// once and remembered by their text, so that one Calendar serves all jails of a run. Not for
/// several threads at once.
class Calendar {
 public:
  /// @param now seconds since the epoch
  Calendar(std::int64_t now, Zone zone);

  [[nodiscard]] std::int64_t now() const noexcept { return now_; }
  [[nodiscard]] const CivilDate& today() const noexcept { return local_.date; }
  /// "2026-03-22-11": what an inc taken now is called.
  [[nodiscard]] std::string inc_name() const;
  /// The instant at which the hour begins that an inc is named after; of two such, the earlier.
  [[nodiscard]] std::int64_t instant_of(std::string_view inc_name) const;

  /// This time of day, `days_ahead` days from now, in seconds since the epoch; where the clocks
  /// skip it, about then.
  [[nodiscard]] std::int64_t instant_on(std::int64_t days_ahead) const;

  /// The day whose incs `line` keeps `days_ahead` days from now, at this time of day. An error
  /// where date(1) would reject it, without file and line.
  [[nodiscard]] const Result<CivilDate>& kept_date(const PolicyLine& line,
                                                   std::size_t days_ahead = 0);
  /// The same for today and at least the `days` days after it. Stays valid until a later day is
  /// asked for.
  [[nodiscard]] std::span<const Result<CivilDate>> kept_dates(const PolicyLine& line,
                                                              std::size_t days);

 private:
  [[nodiscard]] LocalTime local_on(std::size_t days_ahead) const;

  std::int64_t now_;
  Zone zone_;
  LocalTime local_;
  std::unordered_map<std::string, std::vector<Result<CivilDate>>> kept_;  ///< by text, then by day
};

/// The error of a line that date(1) rejects, with its file and line.
[[nodiscard]] Error rejected_line(const Policy& policy, const PolicyLine& line, const Error& why);

/// The days whose incs `policy` keeps now, in the order of its lines; a line that date(1) rejects
/// is an error.
[[nodiscard]] Result<std::vector<CivilDate>> kept_dates(const Policy& policy, Calendar& calendar);

}  // namespace evojail
