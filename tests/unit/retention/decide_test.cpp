#include "retention/decide.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evojail {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Property;

const Zone kUtc = [](std::int64_t) { return LocalOffset{}; };
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kNow = 1'774'177'200;  // 2026-03-22 11:00 UTC

Policy policy_of(std::string_view text) { return parse_policy(text, "incs_policy").value(); }

std::vector<IncFacts> incs_of(std::initializer_list<const char*> names) {
  std::vector<IncFacts> incs;
  for (const char* name : names) incs.push_back({.name = name});
  return incs;
}

std::vector<std::string> told(const Plan& plan, const Policy* policy) {
  std::vector<std::string> lines;
  for (const Verdict& verdict : plan.verdicts) {
    lines.push_back(verdict.name + ": " + describe(verdict, policy));
  }
  return lines;
}

class Decide : public ::testing::Test {
 protected:
  Plan decide_now(const std::vector<IncFacts>& incs, const RetentionOptions& options = {}) {
    auto plan = decide(incs, policy_ ? &*policy_ : nullptr, calendar_, options);
    EXPECT_TRUE(plan) << plan.error().message();
    return plan ? *plan : Plan{};
  }
  std::vector<std::string> tell(const std::vector<IncFacts>& incs,
                                const RetentionOptions& options = {}) {
    return told(decide_now(incs, options), policy_ ? &*policy_ : nullptr);
  }

  Calendar calendar_{kNow, kUtc};
  std::optional<Policy> policy_ =
      policy_of("# x\n+%Y-%m-%d.-0day\n+%Y-%m-%d.-1day\n+%Y-%m-01.-0month\n");
};

TEST_F(Decide, KeepsWhatALineNamesAndSortsByName) {
  EXPECT_THAT(
      tell(incs_of({"2026-03-22-11", "2026-03-01-02", "2026-03-21-23", "2026-03-20-11",
                    "2026-03-22-01", "2025-03-22-11"})),
      ElementsAre("2025-03-22-11: nothing keeps it", "2026-03-01-02: line 4: +%Y-%m-01.-0month",
                  "2026-03-20-11: nothing keeps it", "2026-03-21-23: line 3: +%Y-%m-%d.-1day",
                  "2026-03-22-01: line 2: +%Y-%m-%d.-0day",
                  "2026-03-22-11: line 2: +%Y-%m-%d.-0day"));
}

TEST_F(Decide, NamesTheFirstLineThatKeepsAnInc) {
  policy_ = policy_of("+%Y-%m-22.-0month\n+%Y-%m-%d.-0day\n");
  EXPECT_THAT(tell(incs_of({"2026-03-22-11"})),
              ElementsAre("2026-03-22-11: line 1: +%Y-%m-22.-0month"));
}

TEST_F(Decide, NeverRemovesWhatIsNoInc) {
  policy_ = policy_of("none");
  EXPECT_THAT(tell(incs_of({"lost+found", ".meta", "2026-03-22", "2026-02-30-00",
                            "2026-03-20-11.old", "2026-03-20-11"})),
              ElementsAre(".meta: not an inc", "2026-02-30-00: not an inc",
                          "2026-03-20-11: nothing keeps it", "2026-03-20-11.old: not an inc",
                          "2026-03-22: not an inc", "lost+found: not an inc"));
}

TEST_F(Decide, NoneRemovesAndNoPolicyDoesNot) {
  const auto incs = incs_of({"2026-03-22-11"});
  policy_ = policy_of("none");
  EXPECT_TRUE(decide_now(incs).verdicts[0].removed());
  policy_.reset();
  EXPECT_THAT(tell(incs), ElementsAre("2026-03-22-11: no incs_policy"));
}

TEST_F(Decide, ALineThatNamesNoDayTodayStopsTheJail) {
  const Policy policy = policy_of("+%Y-%m-%d.-0day\n+%Y-02-%d.-0day\n");
  Calendar later(kNow + 9 * 24 * kHour, kUtc);  // 2026-03-31
  const auto incs = incs_of({"2020-01-01-00"});
  EXPECT_TRUE(decide(incs, &policy, calendar_, {}));
  const auto plan = decide(incs, &policy, later, {});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().message(),
            "'incs_policy' line 2: '+%Y-02-%d.-0day': there is no date or time '2026-02-31'");
  EXPECT_THAT(plan.error().hint(), HasSubstr("no inc of the jail is removed"));
}

TEST_F(Decide, HoldsBindUntilTheyEnd) {
  auto incs = incs_of({"2026-01-01-00", "2026-01-02-00", "2026-01-03-00"});
  incs[0].held = true;
  incs[1].held = true;
  incs[1].held_until = kNow + 1;
  incs[2].held = true;
  incs[2].held_until = kNow;
  EXPECT_THAT(tell(incs), ElementsAre("2026-01-01-00: held", "2026-01-02-00: held",
                                      "2026-01-03-00: nothing keeps it"));
}

TEST_F(Decide, MinAgeCountsFromTheHourOfTheName) {
  EXPECT_THAT(tell(incs_of({"2026-03-12-11", "2026-03-12-12"}), {.min_age = std::chrono::days(10)}),
              ElementsAre("2026-03-12-11: nothing keeps it", "2026-03-12-12: MIN_AGE"));
}

TEST_F(Decide, MinIncsProtectsTheNewestCompleteOnes) {
  auto incs = incs_of({"2026-01-01-00", "2026-01-02-00", "2026-01-03-00", "2026-01-04-00",
                       "lost+found", "2026-03-22-01"});
  incs[2].complete = false;
  EXPECT_THAT(tell(incs, {.min_incs = 3}),
              ElementsAre("2026-01-01-00: nothing keeps it", "2026-01-02-00: MIN_INCS",
                          "2026-01-03-00: nothing keeps it", "2026-01-04-00: MIN_INCS",
                          "2026-03-22-01: line 2: +%Y-%m-%d.-0day", "lost+found: not an inc"));
}

TEST_F(Decide, StopsWhenTheClockStandsBeforeTheNewestInc) {
  const auto incs = incs_of({"2026-01-01-00", "2026-03-22-12"});
  const Plan plan = decide_now(incs);
  EXPECT_EQ(plan.stop, Stop::clock);
  EXPECT_THAT(told(plan, &*policy_), ElementsAre("2026-01-01-00: removal is stopped",
                                                 "2026-03-22-12: line 2: +%Y-%m-%d.-0day"));
  EXPECT_EQ(
      describe(plan.stop, incs, calendar_),
      "the clock says 2026-03-22-11, but the newest inc is 2026-03-22-12: nothing is removed");
  EXPECT_EQ(decide_now(incs_of({"2026-01-01-00", "2026-03-22-11", "zzz"})).stop, Stop::no);
}

TEST_F(Decide, IfFreshWantsACompleteIncYoungerThan48Hours) {
  auto incs = incs_of({"2026-01-01-00", "2026-03-19-12", "2026-03-20-12"});
  EXPECT_EQ(decide_now(incs, {.if_fresh = true}).stop, Stop::no);
  incs[1].complete = false;
  incs[2].complete = false;
  const Plan plan = decide_now(incs, {.if_fresh = true});
  EXPECT_EQ(plan.stop, Stop::not_fresh);
  EXPECT_FALSE(plan.verdicts[0].removed());
  EXPECT_THAT(describe(plan.stop, incs, calendar_), HasSubstr("the newest is 2026-01-01-00"));
  EXPECT_EQ(decide_now(incs).stop, Stop::no);
  EXPECT_EQ(decide_now(incs_of({"2026-03-20-11"}), {.if_fresh = true}).stop, Stop::not_fresh);
  EXPECT_EQ(decide_now({}, {.if_fresh = true}).stop, Stop::not_fresh);
}

// A clock that leapt ahead makes one fresh inc, beside which the whole history is old.
TEST_F(Decide, IfFreshStopsAfterALeapOfTheClockOrALongGap) {
  const auto stop = [&](std::initializer_list<const char*> names) {
    return decide_now(incs_of(names), {.if_fresh = true}).stop;
  };
  const auto leapt = incs_of({"2022-01-01-00", "2022-01-02-00", "2026-03-22-10"});
  const Plan plan = decide_now(leapt, {.if_fresh = true});
  EXPECT_EQ(plan.stop, Stop::gap);
  EXPECT_THAT(plan.verdicts, Each(Property(&Verdict::removed, false)));
  EXPECT_THAT(describe(plan.stop, leapt, calendar_),
              AllOf(HasSubstr("2022-01-02-00"), HasSubstr("2026-03-22-10")));
  EXPECT_EQ(decide_now(leapt).stop, Stop::no);
  // A policy that keeps today and the first of the month leaves this.
  EXPECT_EQ(stop({"2026-03-01-10", "2026-03-21-10", "2026-03-22-10"}), Stop::no);
  // More incs of the same two days prove nothing, those before do.
  EXPECT_EQ(stop({"2022-01-01-00", "2022-01-02-00", "2026-03-20-12", "2026-03-21-11"}), Stop::gap);
  EXPECT_EQ(stop({"2022-01-01-00", "2022-01-02-00", "2026-03-19-12", "2026-03-20-12"}), Stop::no);
  // A night or two without an inc are none, nor is what the jail is used to.
  EXPECT_EQ(stop({"2026-03-18-11", "2026-03-19-11", "2026-03-21-11"}), Stop::no);
  EXPECT_EQ(stop({"2026-03-08-11", "2026-03-15-11", "2026-03-22-11"}), Stop::no);
  EXPECT_EQ(stop({"2026-03-22-11"}), Stop::no);
}

TEST(Calendar, KnowsTheInstantOfAnIncInItsZone) {
  // Summer time ended on 2026-10-25: 02:00 came twice.
  const Zone paris = [](std::int64_t utc) {
    return utc < 1'792'890'000 ? LocalOffset{7200, true} : LocalOffset{3600, false};
  };
  const Calendar calendar(1'792'890'000 + 12 * kHour, paris);
  EXPECT_EQ(calendar.inc_name(), "2026-10-25-14");
  EXPECT_EQ(calendar.instant_of("2026-10-25-01"), 1'792'890'000 - 2 * kHour);
  EXPECT_EQ(calendar.instant_of("2026-10-25-02"), 1'792'890'000 - kHour);
  EXPECT_EQ(calendar.instant_of("2026-10-25-03"), 1'792'890'000 + kHour);
}

TEST(Calendar, TellsTheDaysThatAPolicyKeeps) {
  Calendar calendar(kNow, kUtc);
  const Policy policy = policy_of("+%Y-%m-%d.-1day\n+%Y-01-01.-1year\n");
  const auto dates = kept_dates(policy, calendar);
  ASSERT_TRUE(dates);
  EXPECT_THAT(*dates, ElementsAre(CivilDate{2026, 3, 21}, CivilDate{2025, 1, 1}));
  EXPECT_EQ(calendar.kept_date(policy.lines[0], 10).value(), (CivilDate{2026, 3, 31}));
}

}  // namespace
}  // namespace evojail
