#include "config/check_policy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/size.hpp"

namespace evojail {
namespace {

using ::testing::HasSubstr;

TEST(CheckPolicy, ReadsBkctldsGrammar) {
  EXPECT_EQ(parse_check_policy("## thresholds\n# WARNING=24\n", "f").value(), CheckPolicy{});
  const auto policy = parse_check_policy("CRITICAL=72\nWARNING=0\nEXPECTED_STATE=OFF\n", "f");
  ASSERT_TRUE(policy);
  EXPECT_EQ(policy->critical_hours, 72U);
  EXPECT_EQ(policy->warning_hours, 0U);
  EXPECT_FALSE(policy->expected_on);
  EXPECT_EQ(parse_check_policy("WARNING=-1\n", "f").value().warning_hours, 0U);
}

TEST(CheckPolicy, RefusesTheRest) {
  EXPECT_EQ(parse_check_policy("\nWARNING=soon\n", "/x").error().message(),
            "'/x' line 2: WARNING takes a number of hours, 0 for never, not 'soon'");
  EXPECT_FALSE(parse_check_policy("EXPECTED_STATE=off\n", "f"));
  EXPECT_THAT(parse_check_policy("WARNNG=1\n", "f").error().hint(), HasSubstr("WARNING"));
  EXPECT_FALSE(parse_check_policy("WARNING=1\nWARNING=1\n", "f"));
}

TEST(CheckPolicy, ANewJailsFileLeavesEverythingToTheHost) {
  EXPECT_EQ(parse_check_policy(new_check_policy(), "f").value(), CheckPolicy{});
}

TEST(CheckPolicy, AMissingFileIsNoError) {
  EXPECT_EQ(load_check_policy("/nonexistent/check_policy").value(), CheckPolicy{});
  EXPECT_FALSE(load_check_policy("/"));
}

TEST(Size, ReadsPowersOf1024) {
  EXPECT_EQ(parse_size("0"), 0U);
  EXPECT_EQ(parse_size("512"), 512U);
  EXPECT_EQ(parse_size("3K"), 3U << 10);
  EXPECT_EQ(parse_size("64M"), 64U << 20);
  EXPECT_EQ(parse_size("17179869183G"), 17179869183ULL << 30);
  EXPECT_EQ(parse_size("17179869184G"), std::nullopt);
  for (const char* text : {"", "K", "1k", "1KB", "1 K", "-1", "1.5G", "1T"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(Size, WritesTheShortestForm) {
  EXPECT_EQ(format_size(0), "0");
  EXPECT_EQ(format_size(1023), "1023");
  EXPECT_EQ(format_size(64ULL << 20), "64M");
  EXPECT_EQ(format_size(1536), "1536");
  EXPECT_EQ(format_size(3ULL << 40), "3072G");
}

}  // namespace
}  // namespace evojail
