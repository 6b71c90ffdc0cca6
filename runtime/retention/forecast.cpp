#include "retention/forecast.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>

#include "base/parse.hpp"
#include "config/jail_name.hpp"

namespace evojail {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kFarthest = 36'600;  // a hundred years
// A reference lies at most a year back from its day; leap years make some lines meet a day again.
constexpr std::int64_t kMargin = 800;
constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();

/// An inc that is still there, with the first day ahead on which nothing but the policy keeps it.
struct Remaining {
  std::size_t index = 0;
  CivilDate date;
  std::int64_t unprotected = 0;
  bool kept = false;  ///< by the policy, on the day at hand
};

std::int64_t days_in(const Jump& jump) {
  constexpr std::array<std::int64_t, 4> kUnit = {1, 7, 31, 366};
  const std::int64_t unit = kUnit[static_cast<std::size_t>(jump.unit)];
  const std::int64_t most = kFarthest / unit;
  return std::clamp(jump.count, -most, most) * unit;
}

/// The first day ahead that does not come before `utc`, at this time of day.
std::int64_t days_until(std::int64_t utc, const Calendar& calendar) {
  if (utc <= calendar.now()) return 0;
  // A day on which the clocks change has an hour more or less.
  std::int64_t day = std::max<std::int64_t>((utc - calendar.now()) / kDay - 1, 1);
  while (day <= kFarthest && calendar.instant_on(day) < utc) ++day;
  return day;
}

/// How far an inc's name stands before the clock.
struct Ahead {
  std::int64_t days = 0;
  std::int64_t hours = 0;
};

Ahead look_ahead(std::string_view inc_name, const Calendar& calendar) {
  const std::string now = calendar.inc_name();
  const CivilDate date = parse_civil_date(inc_name.substr(0, 10)).value_or(CivilDate{});
  const auto hour = [](std::string_view name) {
    return parse_number<std::int64_t>(name.substr(11), 0, 23).value_or(0);
  };
  return {.days = to_days(date) - to_days(calendar.today()), .hours = hour(inc_name) - hour(now)};
}

/// The first day from today on which neither hold nor MIN_AGE nor MIN_INCS protects the inc, when
/// one complete inc a day comes on top of the `newer` that there are.
std::int64_t first_unprotected(const IncFacts& inc, const Calendar& calendar,
                               const RetentionOptions& options, std::int64_t newer) {
  std::int64_t day = 0;
  if (inc.held) {
    if (!inc.held_until) return kForever;
    day = std::max(day, days_until(*inc.held_until, calendar));
  }
  if (options.min_age.count() > 0) {
    const std::int64_t age = std::int64_t{options.min_age.count()} * kDay;
    day = std::max(day, days_until(calendar.instant_of(inc.name) + age, calendar));
  }
  if (const auto wanted = std::int64_t{options.min_incs} - newer; inc.complete && wanted > 0) {
    // Those that are taken before the day of its name are older than it.
    const Ahead ahead = look_ahead(inc.name, calendar);
    const std::int64_t older = ahead.days - (ahead.hours < 0 ? 1 : 0);
    day = std::max(day, wanted + std::max<std::int64_t>(older, 0));
  }
  return day;
}

/// The first day from today on which plans are no longer stopped for the clock's sake.
std::int64_t first_dated(std::span<const IncFacts* const> sorted, const Calendar& calendar) {
  for (std::size_t i = sorted.size(); i-- > 0;) {
    if (!is_inc_name(sorted[i]->name)) continue;
    const Ahead newest = look_ahead(sorted[i]->name, calendar);
    return newest.days + (newest.hours > 0 ? 1 : 0);
  }
  return 0;
}

void mark_kept(std::vector<Remaining>& remaining, const CivilDate& date) {
  for (Remaining& inc : std::ranges::equal_range(remaining, date, {}, &Remaining::date)) {
    inc.kept = true;
  }
}

/// The days that each line of a policy names, fetched from the calendar as far as they are asked
/// for.
class LineDates {
 public:
  LineDates(const Policy& policy, Calendar& calendar)
      : policy_(&policy), calendar_(&calendar), lines_(policy.lines.size()) {}

  /// Sets what the lines name `day` days ahead.
  /// @return false where one of them names nothing.
  bool go_to(std::int64_t day) {
    day_ = static_cast<std::size_t>(day);
    if (day_ >= fetched_) {
      constexpr std::size_t kBlock = 64;
      fetched_ = day_ + kBlock;
      for (std::size_t i = 0; i < lines_.size(); ++i) {
        lines_[i] = calendar_->kept_dates(policy_->lines[i], fetched_);
      }
    }
    return std::ranges::all_of(lines_, [this](const auto& line) { return line[day_].has_value(); });
  }

  void mark(std::vector<Remaining>& remaining) const {
    for (const auto& line : lines_) mark_kept(remaining, *line[day_]);
  }

 private:
  const Policy* policy_;
  Calendar* calendar_;
  std::vector<std::span<const Result<CivilDate>>> lines_;
  std::size_t fetched_ = 0;
  std::size_t day_ = 0;
};

/// The incs that may go on some day to come, sorted by date; those that go now get their fate.
std::vector<Remaining> find_remaining(const Plan& plan, std::span<const IncFacts* const> sorted,
                                      const Calendar& calendar, const RetentionOptions& options,
                                      std::vector<Fate>& fates) {
  std::vector<Remaining> remaining;
  std::int64_t newer = 0;
  for (std::size_t i = sorted.size(); i-- > 0;) {
    const Verdict& verdict = plan.verdicts[i];
    if (verdict.keeper == Keeper::foreign) continue;
    const std::int64_t unprotected = first_unprotected(*sorted[i], calendar, options, newer);
    if (sorted[i]->complete) ++newer;
    if (verdict.removed()) {
      fates[i].kind = Fate::Kind::now;
    } else if (unprotected <= kFarthest) {
      const auto date = parse_civil_date(std::string_view(verdict.name).substr(0, 10));
      remaining.push_back(
          {.index = i, .date = date.value_or(CivilDate{}), .unprotected = unprotected});
    }
  }
  std::ranges::reverse(remaining);
  return remaining;
}

/// The last day ahead on which anything can change.
std::int64_t last_day(const Policy& policy, std::span<const Remaining> remaining) {
  std::int64_t last = 0;
  for (const Remaining& inc : remaining) last = std::max(last, inc.unprotected);
  for (const PolicyLine& line : policy.lines) last = std::max(last, std::abs(days_in(line.jump)));
  return std::min(last + kMargin, kFarthest);
}

}  // namespace

std::vector<Fate> forecast(const Plan& plan, std::span<const IncFacts> incs, const Policy* policy,
                           Calendar& calendar, const RetentionOptions& options) {
  std::vector<Fate> fates(plan.verdicts.size());
  std::vector<const IncFacts*> sorted;
  sorted.reserve(incs.size());
  for (const IncFacts& inc : incs) sorted.push_back(&inc);
  std::ranges::sort(sorted, {}, &IncFacts::name);
  if (policy == nullptr || sorted.size() != fates.size()) return fates;

  std::vector<Remaining> remaining = find_remaining(plan, sorted, calendar, options, fates);
  const std::int64_t first = std::max<std::int64_t>(first_dated(sorted, calendar), 1);
  const std::int64_t last = std::max(last_day(*policy, remaining), std::min(first, kFarthest));
  LineDates dates(*policy, calendar);
  for (std::int64_t day = first; day <= last && !remaining.empty(); ++day) {
    if (!dates.go_to(day)) continue;
    for (Remaining& inc : remaining) inc.kept = inc.unprotected > day;
    dates.mark(remaining);
    const CivilDate date = from_days(to_days(calendar.today()) + day);
    for (const Remaining& inc : remaining) {
      if (!inc.kept) fates[inc.index] = {.kind = Fate::Kind::on, .day = date};
    }
    std::erase_if(remaining, [](const Remaining& inc) { return !inc.kept; });
  }
  return fates;
}

}  // namespace evojail
