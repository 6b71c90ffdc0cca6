#include "retention/forecast.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace evojail {
namespace {

const Zone kUtc = [](std::int64_t) { return LocalOffset{}; };
constexpr std::int64_t kDay = 86'400;
constexpr std::int64_t kNow = 1'774'177'200;  // 2026-03-22 11:00 UTC

std::string told(const Fate& fate) {
  if (fate.kind == Fate::Kind::now) return "now";
  return fate.kind == Fate::Kind::on ? to_string(fate.day) : "stays";
}

std::map<std::string, std::string> foretell(const std::vector<IncFacts>& incs, const Policy* policy,
                                            const RetentionOptions& options = {}) {
  Calendar calendar(kNow, kUtc);
  const auto plan = decide(incs, policy, calendar, options);
  EXPECT_TRUE(plan);
  const auto fates = forecast(*plan, incs, policy, calendar, options);
  std::map<std::string, std::string> days;
  for (std::size_t i = 0; i < fates.size(); ++i) days[plan->verdicts[i].name] = told(fates[i]);
  return days;
}

Policy policy_of(std::string_view text) { return parse_policy(text, "incs_policy").value(); }

TEST(Forecast, TellsTheDayOnWhichAnIncGoes) {
  const Policy policy = policy_of(new_policy());
  auto days = foretell({{.name = "2026-03-22-01"},
                        {.name = "2026-03-20-01"},
                        {.name = "2026-03-01-01"},
                        {.name = "2026-02-01-01"},
                        {.name = "2026-02-02-01"},
                        {.name = "lost+found"}},
                       &policy);
  EXPECT_EQ(days["2026-03-22-01"], "2026-03-26");
  EXPECT_EQ(days["2026-03-20-01"], "2026-03-24");
  EXPECT_EQ(days["2026-03-01-01"], "2026-05-01");
  EXPECT_EQ(days["2026-02-01-01"], "2026-04-01");
  EXPECT_EQ(days["2026-02-02-01"], "now");
  EXPECT_EQ(days["lost+found"], "stays");
}

TEST(Forecast, SeesWhatNeverGoes) {
  const Policy policy = policy_of("+2026-01-01.-0day\n+%Y-%m-%d.-0day\n");
  auto days = foretell({{.name = "2026-01-01-01"},
                        {.name = "2026-01-02-01", .held = true},
                        {.name = "2026-03-22-01"}},
                       &policy);
  EXPECT_EQ(days["2026-01-01-01"], "stays");
  EXPECT_EQ(days["2026-01-02-01"], "stays");
  EXPECT_EQ(days["2026-03-22-01"], "2026-03-23");
  EXPECT_EQ(foretell({{.name = "2026-01-02-01"}}, nullptr)["2026-01-02-01"], "stays");
}

TEST(Forecast, ReachesAsFarAsTheLinesDo) {
  const Policy policy = policy_of(
      "+%Y-01-01.-0year\n+%Y-01-01.-1year\n+%Y-01-01.-2year\n"
      "+%Y-01-01.-3year\n+%Y-01-01.-4year\n");
  EXPECT_EQ(foretell({{.name = "2026-01-01-01"}}, &policy)["2026-01-01-01"], "2031-01-01");
  const Policy week = policy_of("+%Y-%m-%d.-52week\n");
  EXPECT_EQ(foretell({{.name = "2025-03-23-01"}}, &week)["2025-03-23-01"], "2026-03-23");
}

TEST(Forecast, CountsOneCompleteIncADayForMinIncs) {
  const Policy policy = policy_of("none");
  auto days = foretell({{.name = "2026-03-19-01"},
                        {.name = "2026-03-20-01", .complete = false},
                        {.name = "2026-03-21-01"},
                        {.name = "2026-03-22-01"}},
                       &policy, {.min_incs = 2});
  EXPECT_EQ(days["2026-03-19-01"], "now");
  EXPECT_EQ(days["2026-03-20-01"], "now");
  EXPECT_EQ(days["2026-03-21-01"], "2026-03-23");
  EXPECT_EQ(days["2026-03-22-01"], "2026-03-24");
}

TEST(Forecast, HonoursHoldsAndMinAge) {
  const Policy policy = policy_of("none");
  auto days = foretell({{.name = "2026-03-19-01", .held = true, .held_until = kNow + 3 * kDay},
                        {.name = "2026-03-20-01", .held = true, .held_until = kNow + 3 * kDay + 1},
                        {.name = "2026-03-21-11"},
                        {.name = "2026-03-21-12"}},
                       &policy, {.min_age = std::chrono::days(1)});
  EXPECT_EQ(days["2026-03-19-01"], "2026-03-25");
  EXPECT_EQ(days["2026-03-20-01"], "2026-03-26");
  EXPECT_EQ(days["2026-03-21-11"], "now");
  EXPECT_EQ(days["2026-03-21-12"], "2026-03-23");
}

TEST(Forecast, TheStopHoldsForTodayOnly) {
  const Policy policy = policy_of("none");
  EXPECT_EQ(foretell({{.name = "2026-03-22-12"}}, &policy)["2026-03-22-12"], "2026-03-23");
}

// What a clock that stood in the future left.
TEST(Forecast, NothingGoesWhileTheClockStandsBeforeTheNewestInc) {
  const Policy policy = policy_of("none");
  auto days = foretell({{.name = "2026-03-19-01"}, {.name = "2026-04-22-11"}}, &policy);
  EXPECT_EQ(days["2026-03-19-01"], "2026-04-22");
  EXPECT_EQ(days["2026-04-22-11"], "2026-04-22");
  days = foretell({{.name = "2026-03-19-01"}, {.name = "2026-04-22-12"}}, &policy, {.min_incs = 2});
  EXPECT_EQ(days["2026-03-19-01"], "2026-04-23");
  EXPECT_EQ(days["2026-04-22-12"], "2026-04-24");
}

TEST(Forecast, NothingGoesOnADayThatALineDoesNotKnow) {
  // There is no 31st of April, and on the 31st of May it is the 31st of May that stays.
  const Policy policy = policy_of("+%Y-%m-31.-0day\n");
  EXPECT_EQ(
      foretell({{.name = "2026-03-31-01"}, {.name = "2026-03-22-01"}}, &policy)["2026-03-31-01"],
      "2026-05-01");
}

/// This time of day, so many days on, by the clocks of `zone`.
std::int64_t day_ahead(std::int64_t now, int days, const Zone& zone) {
  const LocalTime local = to_local(now, zone);
  const std::int64_t wanted = (to_days(local.date) + days) * kDay + local.seconds;
  return find_instant(wanted, zone, now - (to_days(local.date) * kDay + local.seconds)).value().utc;
}

/// The forecast against what decide() says when it is really asked on each of the days to come.
TEST(Forecast, AgreesWithAskingEveryDay) {
  std::mt19937_64 engine(5);
  // Summer time begins seven days from now.
  const Zone paris = [](std::int64_t utc) {
    return utc < 1'774'746'000 ? LocalOffset{3600, false} : LocalOffset{7200, true};
  };
  const auto between = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(engine);
  };
  const std::vector<std::string> lines = {
      "+%Y-%m-%d.-0day",   "+%Y-%m-%d.-1day",    "+%Y-%m-%d.-9day",  "+%Y-%m-%d.-2week",
      "+%Y-%m-01.-0month", "+%Y-%m-15.-2months", "+%Y-01-01.-1year", "+%Y-%m-29.-0day",
      "+%Y-%m.-15day",     "+%d.-3day",          "+%Y%m%d.-30day",   "+2026-03-01.-0day"};
  constexpr int kDays = 160;
  for (int round = 0; round < 400; ++round) {
    const Zone& zone = round % 2 == 0 ? kUtc : paris;
    std::string text;
    for (int i = between(1, 5); i > 0; --i) {
      text +=
          lines[static_cast<std::size_t>(between(0, static_cast<int>(lines.size()) - 1))] + "\n";
    }
    const Policy policy = policy_of(text);
    const RetentionOptions options = {
        .min_incs = static_cast<unsigned>(between(0, 3) * between(0, 4)),
        .min_age = std::chrono::days(between(0, 1) * between(0, 40))};
    std::set<std::string> names;
    for (int i = between(1, 25); i > 0; --i) {
      const std::int64_t day = kNow / kDay - between(0, 60);
      const int hour = between(0, 2) == 0 ? between(10, 13) : between(1, 9);
      names.insert(fmt::format("{}-{:02}", to_string(from_days(day)), hour));
    }
    // One that a clock which stood in the future named.
    if (between(0, 9) == 0) {
      names.insert(to_string(from_days(kNow / kDay + between(0, 90))) + "-15");
    }
    std::vector<IncFacts> incs;
    for (const std::string& name : names) {
      incs.push_back({.name = name, .complete = between(0, 4) != 0, .held = between(0, 9) == 0});
      if (incs.back().held && between(0, 1) == 0) {
        incs.back().held_until = kNow + between(-5, 90) * kDay + between(-5, 5);
      }
    }

    Calendar today(kNow, zone);
    auto now = decide(incs, &policy, today, options);
    if (!now) continue;
    const auto fates = forecast(*now, incs, &policy, today, options);

    std::map<std::string, std::string> expected;
    for (const std::string& name : names) expected[name] = "stays";
    std::vector<IncFacts> left = incs;
    for (int day = 0; day <= kDays; ++day) {
      Calendar calendar(day_ahead(kNow, day, zone), zone);
      if (day > 0) left.push_back({.name = calendar.inc_name()});
      const auto plan = decide(left, &policy, calendar, options);
      if (!plan) continue;
      for (const Verdict& verdict : plan->verdicts) {
        if (!verdict.removed()) continue;
        std::erase_if(left, [&](const IncFacts& inc) { return inc.name == verdict.name; });
        if (names.contains(verdict.name)) {
          expected[verdict.name] = day == 0 ? "now" : to_string(calendar.today());
        }
      }
    }
    for (std::size_t i = 0; i < fates.size(); ++i) {
      const std::string& name = now->verdicts[i].name;
      const bool beyond =
          fates[i].kind == Fate::Kind::on && to_days(fates[i].day) > kNow / kDay + kDays;
      EXPECT_EQ(beyond ? "stays" : told(fates[i]), expected[name]) << name << " under\n" << text;
    }
  }
}

}  // namespace
}  // namespace evojail
