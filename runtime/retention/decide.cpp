#include "retention/decide.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ranges>
#include <string_view>

#include "config/jail_name.hpp"

namespace evojail {
namespace {

constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kFresh = std::int64_t{48} * 3600;

/// The ten bytes of a day in an inc's name. A day whose text is longer is in no inc's name, and it
/// is left empty: it would have to start before the name or end behind it.
using DayText = std::array<char, 10>;

DayText day_text(const CivilDate& date) {
  DayText text{};
  const std::string full = to_string(date);
  if (full.size() == text.size()) std::ranges::copy(full, text.begin());
  return text;
}

std::string_view day_of(std::string_view inc_name) { return inc_name.substr(0, 10); }

std::string_view view(const DayText& text) { return {text.data(), text.size()}; }

std::string_view newest(std::span<const IncFacts> incs) {
  std::string_view name;
  for (const IncFacts& inc : incs) {
    if (is_inc_name(inc.name) && inc.name > name) name = inc.name;
  }
  return name;
}

std::string_view newest_complete(std::span<const IncFacts> incs) {
  std::string_view name;
  for (const IncFacts& inc : incs) {
    if (inc.complete && is_inc_name(inc.name) && inc.name > name) name = inc.name;
  }
  return name;
}

/// The complete incs on both sides of the last 48 hours' beginning.
struct Gap {
  std::string_view before;  ///< the newest that is older; empty: none
  std::string_view after;   ///< the oldest that is younger
  std::int64_t usual = 0;   ///< seconds between `before` and the one before that; 0: there is none
  std::int64_t seconds = 0;
};

Gap find_gap(std::span<const IncFacts> incs, const Calendar& calendar) {
  std::vector<std::string_view> names;
  for (const IncFacts& inc : incs) {
    if (inc.complete && is_inc_name(inc.name)) names.push_back(inc.name);
  }
  std::ranges::sort(names);
  const auto fresh = std::ranges::find_if(names, [&calendar](std::string_view name) {
    return calendar.now() - calendar.instant_of(name) < kFresh;
  });
  Gap gap;
  if (fresh == names.end() || fresh == names.begin()) return gap;
  gap.after = *fresh;
  gap.before = fresh[-1];
  const std::int64_t before = calendar.instant_of(gap.before);
  gap.seconds = calendar.instant_of(gap.after) - before;
  if (fresh - names.begin() > 1) gap.usual = before - calendar.instant_of(fresh[-2]);
  return gap;
}

Stop find_stop(std::span<const IncFacts> incs, const Calendar& calendar, bool if_fresh) {
  const std::string_view last = newest(incs);
  if (!last.empty() && last > calendar.inc_name()) return Stop::clock;
  if (!if_fresh) return Stop::no;
  const std::string_view complete = newest_complete(incs);
  const bool fresh = !complete.empty() && calendar.now() - calendar.instant_of(complete) < kFresh;
  if (!fresh) return Stop::not_fresh;
  // A clock that leapt ahead looks like this, and so does a host that was off: days later there are
  // incs enough to go on, and people had the time to look.
  const Gap gap = find_gap(incs, calendar);
  const bool unusual = gap.usual > 0 && gap.seconds > 3 * gap.usual;
  return gap.seconds > kFresh && unusual ? Stop::gap : Stop::no;
}

bool is_held(const IncFacts& inc, const Calendar& calendar) {
  return inc.held && (!inc.held_until || calendar.now() < *inc.held_until);
}

/// Everything but the plan's stop, for one entry. `newer` counts the complete incs newer than it.
Verdict judge(const IncFacts& inc, std::span<const DayText> kept, const Policy* policy,
              const Calendar& calendar, const RetentionOptions& options, unsigned newer) {
  Verdict verdict{.name = inc.name};
  if (!is_inc_name(inc.name)) {
    verdict.keeper = Keeper::foreign;
    return verdict;
  }
  if (policy == nullptr) {
    verdict.keeper = Keeper::no_policy;
    return verdict;
  }
  for (std::size_t line = 0; line < kept.size(); ++line) {
    if (view(kept[line]) != day_of(inc.name)) continue;
    verdict.keeper = Keeper::line;
    verdict.line = line;
    return verdict;
  }
  const std::int64_t min_age = std::int64_t{options.min_age.count()} * kDay;
  if (is_held(inc, calendar)) {
    verdict.keeper = Keeper::hold;
  } else if (min_age > 0 && calendar.now() - calendar.instant_of(inc.name) < min_age) {
    verdict.keeper = Keeper::min_age;
  } else if (inc.complete && newer < options.min_incs) {
    verdict.keeper = Keeper::min_incs;
  }
  return verdict;
}

}  // namespace

Result<Plan> decide(std::span<const IncFacts> incs, const Policy* policy, Calendar& calendar,
                    const RetentionOptions& options) {
  std::vector<DayText> kept;
  if (policy != nullptr) {
    kept.reserve(policy->lines.size());
    for (const PolicyLine& line : policy->lines) {
      const Result<CivilDate>& date = calendar.kept_date(line);
      if (!date) return std::unexpected(rejected_line(*policy, line, date.error()));
      kept.push_back(day_text(*date));
    }
  }

  std::vector<const IncFacts*> sorted;
  sorted.reserve(incs.size());
  for (const IncFacts& inc : incs) sorted.push_back(&inc);
  std::ranges::sort(sorted, {}, &IncFacts::name);

  Plan plan{.verdicts = {}, .stop = find_stop(incs, calendar, options.if_fresh)};
  plan.verdicts.reserve(sorted.size());
  unsigned newer = 0;
  for (const IncFacts* inc : sorted | std::views::reverse) {
    Verdict verdict = judge(*inc, kept, policy, calendar, options, newer);
    if (verdict.removed() && plan.stop != Stop::no) verdict.keeper = Keeper::stopped;
    if (inc->complete && verdict.keeper != Keeper::foreign) ++newer;
    plan.verdicts.push_back(std::move(verdict));
  }
  std::ranges::reverse(plan.verdicts);
  return plan;
}

std::string describe(Stop stop, std::span<const IncFacts> incs, const Calendar& calendar) {
  switch (stop) {
    case Stop::no:
      return {};
    case Stop::clock:
      return fmt::format("the clock says {}, but the newest inc is {}: nothing is removed",
                         calendar.inc_name(), newest(incs));
    case Stop::not_fresh: {
      const std::string_view last = newest_complete(incs);
      return fmt::format(
          "no complete inc is younger than 48 hours ({}): nothing is removed",
          last.empty() ? std::string("there is none") : fmt::format("the newest is {}", last));
    }
    case Stop::gap: {
      const Gap gap = find_gap(incs, calendar);
      return fmt::format(
          "there is no complete inc between {} and {}: in case the clock is wrong, nothing is "
          "removed for two days from the later one on",
          gap.before, gap.after);
    }
  }
  return {};
}

std::string describe(const Verdict& verdict, const Policy* policy) {
  switch (verdict.keeper) {
    case Keeper::nothing:
      return "nothing keeps it";
    case Keeper::foreign:
      return "not an inc";
    case Keeper::no_policy:
      return "no incs_policy";
    case Keeper::line:
      if (policy == nullptr || verdict.line >= policy->lines.size()) return "incs_policy";
      return fmt::format("line {}: {}", policy->lines[verdict.line].number,
                         policy->lines[verdict.line].text);
    case Keeper::hold:
      return "held";
    case Keeper::min_age:
      return "MIN_AGE";
    case Keeper::min_incs:
      return "MIN_INCS";
    case Keeper::stopped:
      return "removal is stopped";
  }
  return {};
}

}  // namespace evojail
