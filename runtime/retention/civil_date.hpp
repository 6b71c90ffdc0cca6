#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace evojail {

/// A day of the proleptic Gregorian calendar. std::chrono's years end at 32767, those of date(1) do
/// not.
struct CivilDate {
  std::int64_t year = 1970;
  unsigned month = 1;  ///< 1 to 12
  unsigned day = 1;    ///< 1 to 31

  friend auto operator<=>(const CivilDate&, const CivilDate&) = default;
};

/// Days from 1970-01-01 to the `day`th of `month`. The day may be any number: 0 is the day before
/// the first, 32 lies in a later month. The month is within 1 to 12.
[[nodiscard]] std::int64_t days_from_civil(std::int64_t year, unsigned month, std::int64_t day);
[[nodiscard]] inline std::int64_t to_days(const CivilDate& date) {
  return days_from_civil(date.year, date.month, date.day);
}

/// The inverse of to_days().
[[nodiscard]] CivilDate from_days(std::int64_t days);

/// Whether the month has such a day.
[[nodiscard]] bool exists(const CivilDate& date);

/// As `date +%Y-%m-%d` prints it: a year of at least four characters.
[[nodiscard]] std::string to_string(const CivilDate& date);

/// "2026-03-22"; nothing for any other form, or a day that does not exist.
[[nodiscard]] std::optional<CivilDate> parse_civil_date(std::string_view text);

}  // namespace evojail
