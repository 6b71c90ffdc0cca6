#include "retention/civil_date.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/parse.hpp"

namespace evojail {
namespace {

// Years are counted from March, so that a leap day ends its year, in eras of 400 years.
constexpr std::int64_t kDaysPerEra = 146'097;
constexpr std::int64_t kEpochFromEra0 = 719'468;  // 0000-03-01 to 1970-01-01

constexpr std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

constexpr std::int64_t day_of_march_year(unsigned months_since_march) {
  return (153 * static_cast<std::int64_t>(months_since_march) + 2) / 5;
}

}  // namespace

std::int64_t days_from_civil(std::int64_t year, unsigned month, std::int64_t day) {
  const std::int64_t march_year = month <= 2 ? year - 1 : year;
  const std::int64_t era = floor_divide(march_year, 400);
  const std::int64_t year_of_era = march_year - era * 400;
  const std::int64_t first_of_month = day_of_march_year((month + 9) % 12);
  return era * kDaysPerEra + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
         first_of_month + day - 1 - kEpochFromEra0;
}

CivilDate from_days(std::int64_t days) {
  const std::int64_t since_era0 = days + kEpochFromEra0;
  const std::int64_t era = floor_divide(since_era0, kDaysPerEra);
  const std::int64_t day_of_era = since_era0 - era * kDaysPerEra;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (year_of_era * 365 + year_of_era / 4 - year_of_era / 100);
  const auto march_month = static_cast<unsigned>((5 * day_of_year + 2) / 153);
  CivilDate date;
  date.month = march_month < 10 ? march_month + 3 : march_month - 9;
  date.year = era * 400 + year_of_era + (date.month <= 2 ? 1 : 0);
  date.day = static_cast<unsigned>(day_of_year - day_of_march_year(march_month) + 1);
  return date;
}

bool exists(const CivilDate& date) {
  return date.month >= 1 && date.month <= 12 && date.day >= 1 && from_days(to_days(date)) == date;
}

std::string to_string(const CivilDate& date) {
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

std::optional<CivilDate> parse_civil_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = parse_number<std::int64_t>(text.substr(0, 4), 0, 9999);
  const auto month = parse_number<unsigned>(text.substr(5, 2), 1, 12);
  const auto day = parse_number<unsigned>(text.substr(8, 2), 1, 31);
  if (!year || !month || !day || text.front() == '-') return std::nullopt;
  const CivilDate date{*year, *month, *day};
  return exists(date) ? std::optional(date) : std::nullopt;
}

}  // namespace evojail
