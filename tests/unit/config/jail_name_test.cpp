#include "config/jail_name.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evojail {
namespace {

using ::testing::HasSubstr;

TEST(JailName, TakesWhatTheGrammarAllows) {
  for (const std::string name : {"a", "0", "web1", "db-1.example.org", "A_b.C-d", "d", "a.dd"}) {
    const auto parsed = parse_jail_name(name);
    ASSERT_TRUE(parsed) << name;
    EXPECT_EQ(*parsed, name);
  }
  EXPECT_TRUE(parse_jail_name(std::string(64, 'x')));
}

TEST(JailName, RefusesTheRestWithTheRuleAsHint) {
  const std::string nul("a\0b", 3);
  for (const std::string& name :
       {std::string(), std::string("web1.d"), std::string("-x"), std::string(".x"),
        std::string("_x"), std::string(".."), std::string("a/b"), std::string("a b"),
        std::string("é"), std::string("a\n"), std::string(65, 'x'), nul}) {
    const auto parsed = parse_jail_name(name);
    ASSERT_FALSE(parsed) << name;
    EXPECT_THAT(parsed.error().hint(), HasSubstr("starts with a letter or digit"));
  }
}

TEST(JailName, RecognisesWhatIsAnotherThing) {
  EXPECT_THAT(parse_jail_name("all").error().hint(), HasSubstr("every jail"));
  EXPECT_EQ(parse_jail_name("web1/2026-03-22-11").error().hint(), "that is an inc of jail 'web1'");
}

TEST(JailName, KeepsControlBytesOffTheTerminal) {
  EXPECT_EQ(parse_jail_name("a\x1b[2J").error().message(), "'a\\x1b[2J' cannot be a jail's name");
}

TEST(IncName, IsADateAndHourThatExist) {
  for (const char* name : {"2026-03-22-11", "2024-02-29-00", "1970-01-01-23", "9999-12-31-23"}) {
    EXPECT_TRUE(is_inc_name(name)) << name;
  }
  for (const char* name :
       {"", "2026-03-22", "2026-03-22-24", "2026-02-29-00", "2026-13-01-00", "2026-00-10-00",
        "2026-03-22-1", "2026-03-22-111", "2026_03-22-11", "+026-03-22-11", "2026-03-22--1",
        "-026-03-22-11", "2026-03-22-11.tmp", "lost+found", ".meta"}) {
    EXPECT_FALSE(is_inc_name(name)) << name;
  }
}

}  // namespace
}  // namespace evojail
