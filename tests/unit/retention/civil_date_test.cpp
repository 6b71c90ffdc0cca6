#include "retention/civil_date.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace evojail {
namespace {

TEST(CivilDate, CountsDaysAsTheStandardLibraryDoes) {
  const std::chrono::sys_days first{std::chrono::year{-400} / 1 / 1};
  for (std::chrono::sys_days day = first;
       day < std::chrono::sys_days{std::chrono::year{2900} / 1 / 1}; day += std::chrono::days{1}) {
    const std::chrono::year_month_day expected{day};
    const std::int64_t days = day.time_since_epoch().count();
    const CivilDate date = from_days(days);
    ASSERT_EQ(date.year, static_cast<int>(expected.year()));
    ASSERT_EQ(date.month, static_cast<unsigned>(expected.month()));
    ASSERT_EQ(date.day, static_cast<unsigned>(expected.day()));
    ASSERT_EQ(to_days(date), days);
    ASSERT_TRUE(exists(date));
  }
}

TEST(CivilDate, NormalisesDaysOutsideTheMonth) {
  EXPECT_EQ(from_days(days_from_civil(2026, 2, 31)), (CivilDate{2026, 3, 3}));
  EXPECT_EQ(from_days(days_from_civil(2026, 3, 0)), (CivilDate{2026, 2, 28}));
  EXPECT_EQ(from_days(days_from_civil(2024, 3, -365)), (CivilDate{2023, 3, 1}));
}

TEST(CivilDate, KnowsWhichDaysExist) {
  EXPECT_TRUE(exists({2024, 2, 29}));
  EXPECT_TRUE(exists({2000, 2, 29}));
  EXPECT_FALSE(exists({2026, 2, 29}));
  EXPECT_FALSE(exists({1900, 2, 29}));
  EXPECT_FALSE(exists({2026, 4, 31}));
  EXPECT_FALSE(exists({2026, 0, 1}));
  EXPECT_FALSE(exists({2026, 13, 1}));
  EXPECT_FALSE(exists({2026, 1, 0}));
}

TEST(CivilDate, IsWrittenAsDateWritesIt) {
  EXPECT_EQ(to_string(CivilDate{2026, 3, 2}), "2026-03-02");
  EXPECT_EQ(to_string(CivilDate{526, 3, 2}), "0526-03-02");
  EXPECT_EQ(to_string(CivilDate{-974, 3, 2}), "-974-03-02");
  EXPECT_EQ(to_string(CivilDate{-1, 3, 2}), "-001-03-02");
  EXPECT_EQ(to_string(CivilDate{12026, 3, 2}), "12026-03-02");
}

TEST(CivilDate, IsReadInOneForm) {
  EXPECT_EQ(parse_civil_date("2024-02-29"), (CivilDate{2024, 2, 29}));
  for (const char* text : {"", "2026-02-29", "2026-2-28", "2026-02-28 ", "2026/02/28", "-026-02-28",
                           "+026-02-28", "2026-00-10", "2026-01-32", "2026-+1-01", "2026-01--1"}) {
    EXPECT_EQ(parse_civil_date(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace evojail
