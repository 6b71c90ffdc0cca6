#include "retention/date.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evojail {
namespace {

using ::testing::HasSubstr;

const Zone kUtc = [](std::int64_t) { return LocalOffset{}; };
const LocalTime kNow = {.date = {2026, 11, 22}, .seconds = 22 * 3600};

/// A zone that changes once.
Zone changing(std::int64_t at, LocalOffset before, LocalOffset after) {
  return [=](std::int64_t utc) { return utc < at ? before : after; };
}

std::string resolve(std::string_view reference, std::int64_t count, Jump::Unit unit,
                    const Zone& zone = kUtc, const LocalTime& now = kNow) {
  const auto date = resolve_date(reference, {.count = count, .unit = unit}, now, zone);
  return date ? to_string(*date) : date.error().message();
}

TEST(ResolveDate, NormalisesMonthsAsMktimeDoes) {
  EXPECT_EQ(resolve("2026-03-29", -1, Jump::Unit::month), "2026-03-01");
  EXPECT_EQ(resolve("2026-03-31", -1, Jump::Unit::month), "2026-03-03");
  EXPECT_EQ(resolve("2024-03-31", -1, Jump::Unit::month), "2024-03-02");
  EXPECT_EQ(resolve("2024-02-29", -1, Jump::Unit::year), "2023-03-01");
  EXPECT_EQ(resolve("2026-01-01", -1, Jump::Unit::month), "2025-12-01");
  EXPECT_EQ(resolve("2026-01-01", -25, Jump::Unit::month), "2023-12-01");
  EXPECT_EQ(resolve("2026-12-01", +1, Jump::Unit::month), "2027-01-01");
  EXPECT_EQ(resolve("2026-03-22", -12, Jump::Unit::week), "2025-12-28");
  EXPECT_EQ(resolve("2026-03-22", -3000, Jump::Unit::year), "-974-03-22");
}

TEST(ResolveDate, ReadsOtherReferencesAsDateDoes) {
  EXPECT_EQ(resolve("20260322", -1, Jump::Unit::day), "2026-03-21");
  EXPECT_EQ(resolve("260322", -1, Jump::Unit::day), "2026-03-21");
  EXPECT_EQ(resolve("690322", -0, Jump::Unit::day), "1969-03-22");
  EXPECT_EQ(resolve("26-03-22", -0, Jump::Unit::day), "2026-03-22");
  EXPECT_EQ(resolve("026-03-22", -0, Jump::Unit::day), "0026-03-22");
  EXPECT_EQ(resolve("2026--03-22-", -1, Jump::Unit::day), "2026-03-21");
  // Four digits are a time of day, today.
  EXPECT_EQ(resolve("2026", -1, Jump::Unit::year), "2025-11-22");
  EXPECT_EQ(resolve("22", -1, Jump::Unit::day), "2026-11-21");
  // Of two numbers, the jump's is the day, and its unit is added once.
  EXPECT_EQ(resolve("2026-03", -1, Jump::Unit::month), "2026-04-01");
  EXPECT_EQ(resolve("2026-03", -15, Jump::Unit::week), "2026-03-22");
  EXPECT_EQ(resolve("", -1, Jump::Unit::day), "2026-11-21");
}

TEST(ResolveDate, RejectsWhatDateRejects) {
  EXPECT_EQ(resolve("2026-02-29", 0, Jump::Unit::day), "there is no date or time '2026-02-29'");
  EXPECT_THAT(resolve("2026-13-01", 0, Jump::Unit::day), HasSubstr("there is no"));
  EXPECT_THAT(resolve("25", 0, Jump::Unit::day), HasSubstr("there is no"));
  EXPECT_THAT(resolve("2060", 0, Jump::Unit::day), HasSubstr("there is no"));
  EXPECT_THAT(resolve("2026-03-22-01", 0, Jump::Unit::day), HasSubstr("takes"));
  EXPECT_THAT(resolve("-22", 0, Jump::Unit::day), HasSubstr("takes"));
  EXPECT_THAT(resolve("2026-03", 1, Jump::Unit::month), HasSubstr("takes"));
  EXPECT_THAT(resolve("2026-03-22", 3'000'000'000, Jump::Unit::day), HasSubstr("out of range"));
  EXPECT_THAT(resolve("2026-03-22", 2'147'483'647, Jump::Unit::year), HasSubstr("out of range"));
  EXPECT_THAT(resolve("9999999999-03-22", 0, Jump::Unit::day), HasSubstr("there is no"));
}

// 2018-11-04 00:00 in Sao Paulo: clocks were put forward at midnight, 03:00 UTC.
const Zone kNoMidnight = changing(1'541'300'400, {-10'800, false}, {-7'200, true});

TEST(ResolveDate, RejectsAMidnightThatTheClocksSkip) {
  EXPECT_EQ(resolve("2018-11-04", 0, Jump::Unit::day, kNoMidnight),
            "'2018-11-04' does not exist in the local time zone");
  EXPECT_EQ(resolve("2018-11-03", 0, Jump::Unit::day, kNoMidnight), "2018-11-03");
}

TEST(ResolveDate, EndsInSummerTimeWhereTheJumpMeetsAGap) {
  EXPECT_EQ(resolve("2018-11-05", -1, Jump::Unit::day, kNoMidnight), "2018-11-04");
  EXPECT_EQ(resolve("2018-11-03", 1, Jump::Unit::day, kNoMidnight), "2018-11-04");
  // The other way round, summer time lies before the gap: 23:00 of the day before.
  const Zone reversed = changing(1'541'300'400, {-10'800, true}, {-7'200, false});
  EXPECT_EQ(resolve("2018-11-03", 1, Jump::Unit::day, reversed), "2018-11-03");
}

TEST(ResolveDate, LeavesASkippedDayOnTheFarSide) {
  // Apia went from UTC-10 to UTC+14 at the end of 2011-12-29.
  const Zone apia = changing(1'325'239'200, {-36'000, true}, {50'400, true});
  EXPECT_EQ(resolve("2011-12-30", 0, Jump::Unit::day, apia),
            "'2011-12-30' does not exist in the local time zone");
  EXPECT_EQ(resolve("2011-12-31", -1, Jump::Unit::day, apia), "2011-12-29");
  EXPECT_EQ(resolve("2011-12-29", 1, Jump::Unit::day, apia), "2011-12-31");
}

TEST(FormatDate, FillsInTheDay) {
  EXPECT_EQ(format_date("%Y-%m-%d", {2026, 3, 2}), "2026-03-02");
  EXPECT_EQ(format_date("x", {2026, 3, 2}), "x");
  EXPECT_EQ(format_date("1%d-%d", {2026, 3, 2}), "102-02");
}

TEST(FindInstant, GivesUpAfterSixProbes) {
  // Clocks at half speed: each probe halves the error, and it would take twenty.
  const Zone slow = [](std::int64_t utc) {
    return LocalOffset{.seconds_east = static_cast<std::int32_t>(-utc / 2), .summer = false};
  };
  EXPECT_FALSE(find_instant(1'000'000, slow));
  EXPECT_TRUE(find_instant(1'000'000, slow, 1'000'000));
}

TEST(FindInstant, LooksForTheOtherStateOfTheClocks) {
  const Zone half_year = [](std::int64_t utc) {
    return utc / 15'552'000 % 2 == 0 ? LocalOffset{3600, false} : LocalOffset{7200, true};
  };
  // 10 days in, it is winter: the same hour by summer's clocks was an hour earlier.
  EXPECT_EQ(find_instant(864'000, half_year)->utc, 864'000 - 3600);
  EXPECT_EQ(find_instant(864'000, half_year, 0, false)->utc, 864'000 - 3600);
  EXPECT_EQ(find_instant(864'000, half_year, 0, true)->utc, 864'000 - 7200);
  EXPECT_EQ(find_instant(864'000, kUtc, 0, true)->utc, 864'000 - 3600);
}

}  // namespace
}  // namespace evojail
