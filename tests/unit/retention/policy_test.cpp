#include "retention/policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evojail {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kFile = "/etc/evobackup/web1.d/incs_policy";

std::string error_of(std::string_view text) {
  const auto policy = parse_policy(text, kFile);
  return policy ? "parsed" : policy.error().message();
}

TEST(Policy, ReadsLinesAndSkipsTheRest) {
  const auto policy = parse_policy(
      "# a\n\n  \t\n+%Y-%m-%d.-2day\r\n +%Y-%m-01.+13months \n#+x\n+2026%m%d.-0weeks", kFile);
  ASSERT_TRUE(policy) << policy.error().message();
  ASSERT_EQ(policy->lines.size(), 3U);
  EXPECT_EQ(policy->file, kFile);
  EXPECT_EQ(policy->lines[0], (PolicyLine{.number = 4,
                                          .text = "+%Y-%m-%d.-2day",
                                          .format = "%Y-%m-%d",
                                          .jump = {-2, Jump::Unit::day}}));
  EXPECT_EQ(policy->lines[1].number, 5U);
  EXPECT_EQ(policy->lines[1].text, "+%Y-%m-01.+13months");
  EXPECT_EQ(policy->lines[1].jump, (Jump{13, Jump::Unit::month}));
  EXPECT_EQ(policy->lines[2].format, "2026%m%d");
  EXPECT_EQ(policy->lines[2].jump, (Jump{0, Jump::Unit::week}));
}

TEST(Policy, EveryUnitWithAndWithoutPlural) {
  for (const auto& [text, unit] :
       std::vector<std::pair<std::string, Jump::Unit>>{{"day", Jump::Unit::day},
                                                       {"week", Jump::Unit::week},
                                                       {"month", Jump::Unit::month},
                                                       {"year", Jump::Unit::year}}) {
    for (const std::string plural : {"", "s"}) {
      const auto policy = parse_policy("+%Y-%m-%d.-1" + text + plural, kFile);
      ASSERT_TRUE(policy) << text;
      EXPECT_EQ(policy->lines[0].jump, (Jump{-1, unit}));
    }
  }
}

TEST(Policy, NoneKeepsNothingOnPurpose) {
  const auto policy = parse_policy("# on purpose\nnone\n", kFile);
  ASSERT_TRUE(policy);
  EXPECT_TRUE(policy->lines.empty());
  EXPECT_THAT(error_of("+%Y-%m-%d.-0day\nnone\n"), HasSubstr("line 2: 'none' stands beside"));
  EXPECT_THAT(error_of("none\nnone\n"), HasSubstr("line 2: 'none' is no policy line"));
  EXPECT_THAT(error_of("None\n"), HasSubstr("line 1"));
}

TEST(Policy, AnEmptyPolicyIsAnError) {
  for (const char* text : {"", "\n", "# +%Y-%m-%d.-0day\n", "   \n\t\n"}) {
    const auto policy = parse_policy(text, kFile);
    ASSERT_FALSE(policy) << text;
    EXPECT_EQ(policy.error().message(),
              "'/etc/evobackup/web1.d/incs_policy' is empty: no line keeps an inc");
    EXPECT_THAT(policy.error().hint(), HasSubstr("'none'"));
  }
}

TEST(Policy, OneBadLineIsAnErrorWithItsNumber) {
  for (const std::string line : {"%Y-%m-%d.-0day",
                                 "+%Y-%m-%d",
                                 "+%Y-%m-%d.",
                                 "+%Y-%m-%d.0day",
                                 "+%Y-%m-%d.-day",
                                 "+%Y-%m-%d.-1",
                                 "+%Y-%m-%d.-1hour",
                                 "+%Y-%m-%d.-1dayss",
                                 "+%Y-%m-%d.-1 day",
                                 "+%Y-%m-%d.- 1day",
                                 "+%Y-%m-%d.--1day",
                                 "+%Y-%m-%d.+-1day",
                                 "+%Y-%m-%d.-1Day",
                                 "+%Y-%m-%d.-1day.",
                                 "+%Y-%m-%d.-1day ago",
                                 "+%Y-%m-%d.-1.5day",
                                 "+%y-%m-%d.-1day",
                                 "+%Y-%m-%H.-1day",
                                 "+%F.-1day",
                                 "+%Y/%m/%d.-1day",
                                 "+%Y-%m-%.-1day",
                                 "+%Y %m.-1day",
                                 "++%Y-%m-%d.-1day",
                                 "+%Y-%m-%d,-1day",
                                 "+%Y-%m-%d.-1fortnight",
                                 "+%Y-%m-%d.-99999999999999999999day",
                                 "+%Y-%m-%d.\xef\xbc\x91"
                                 "day",
                                 "keep 7",
                                 "+%Y-%m-%d.-1day # today"}) {
    const std::string text = "+%Y-%m-%d.-0day\n" + line + "\n";
    const auto policy = parse_policy(text, kFile);
    ASSERT_FALSE(policy) << line;
    EXPECT_THAT(policy.error().message(),
                HasSubstr("'/etc/evobackup/web1.d/incs_policy' line 2: '"))
        << line;
    EXPECT_THAT(policy.error().hint(), HasSubstr("+%Y-%m-%d.-2day"));
  }
}

TEST(Policy, RefusesFormatsThatDateNeverTakes) {
  for (const std::string line :
       {"+%Y-%m-%d-01.-0day", "+-%d.-0day", "+%Y-%m.+1month", "+%Y-%m.-0month",
        "+99999999999999999999.-0day", "+%Y-%m-%d.-1844674407370955162week"}) {
    EXPECT_THAT(error_of(line), HasSubstr("date(1)")) << line;
  }
  EXPECT_EQ(error_of("+%Y-%m.-1month"), "parsed");
}

TEST(Policy, ANewJailKeepsBkctldsDefault) {
  const auto policy = parse_policy(new_policy(), kFile);
  ASSERT_TRUE(policy);
  std::vector<std::string> texts;
  for (const PolicyLine& line : policy->lines) texts.push_back(line.text);
  EXPECT_THAT(texts,
              ::testing::ElementsAre("+%Y-%m-%d.-0day", "+%Y-%m-%d.-1day", "+%Y-%m-%d.-2day",
                                     "+%Y-%m-%d.-3day", "+%Y-%m-01.-0month", "+%Y-%m-01.-1month"));
}

}  // namespace
}  // namespace evojail
