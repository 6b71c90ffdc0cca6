#include "retention/calendar.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/parse.hpp"
#include "config/assignments.hpp"
#include "retention/date.hpp"

namespace evojail {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kHour = 3600;

}  // namespace

Calendar::Calendar(std::int64_t now, Zone zone)
    : now_(now), zone_(std::move(zone)), local_(to_local(now_, zone_)) {}

std::string Calendar::inc_name() const {
  return fmt::format("{}-{:02}", to_string(local_.date), local_.seconds / kHour);
}

std::int64_t Calendar::instant_of(std::string_view inc_name) const {
  const CivilDate date = parse_civil_date(inc_name.substr(0, 10)).value_or(CivilDate{});
  const auto hour = parse_number<std::int64_t>(inc_name.substr(11), 0, 23).value_or(0);
  const std::int64_t local = to_days(date) * kDay + hour * kHour;
  // A search that starts from the offset of the day before meets the earlier of two instants.
  const std::int64_t guess = -std::int64_t{zone_(local - 2 * kDay).seconds_east};
  const auto found = find_instant(local, zone_, guess);
  return found ? found->utc : local;
}

std::int64_t Calendar::instant_on(std::int64_t days_ahead) const {
  const std::int64_t about = now_ + days_ahead * kDay;
  const std::int64_t local = (to_days(local_.date) + days_ahead) * kDay + local_.seconds;
  const auto found = find_instant(local, zone_, -std::int64_t{zone_(about).seconds_east});
  return found ? found->utc : about;
}

LocalTime Calendar::local_on(std::size_t days_ahead) const {
  if (days_ahead == 0) return local_;
  const std::int64_t days = to_days(local_.date) + static_cast<std::int64_t>(days_ahead);
  const bool summer = zone_(now_ + static_cast<std::int64_t>(days_ahead) * kDay).summer;
  return {.date = from_days(days), .seconds = local_.seconds, .summer = summer};
}

std::span<const Result<CivilDate>> Calendar::kept_dates(const PolicyLine& line, std::size_t days) {
  std::vector<Result<CivilDate>>& known = kept_[line.text];
  while (known.size() <= days) {
    const LocalTime then = local_on(known.size());
    known.push_back(resolve_date(format_date(line.format, then.date), line.jump, then, zone_));
  }
  return known;
}

const Result<CivilDate>& Calendar::kept_date(const PolicyLine& line, std::size_t days_ahead) {
  return kept_dates(line, days_ahead)[days_ahead];
}

Error rejected_line(const Policy& policy, const PolicyLine& line, const Error& why) {
  return Error(
             fmt::format("{}'{}': {}", at_line(policy.file, line.number), line.text, why.message()))
      .hint(
          "today this line names no day; until it is mended, or another day comes, no inc of the "
          "jail is removed");
}

Result<std::vector<CivilDate>> kept_dates(const Policy& policy, Calendar& calendar) {
  std::vector<CivilDate> dates;
  dates.reserve(policy.lines.size());
  for (const PolicyLine& line : policy.lines) {
    const Result<CivilDate>& date = calendar.kept_date(line);
    if (!date) return std::unexpected(rejected_line(policy, line, date.error()));
    dates.push_back(*date);
  }
  return dates;
}

}  // namespace evojail
