#include "cli/select.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/port_word.hpp"

namespace evojail {
namespace {

using testing::ElementsAre;

HostSettings nowhere() {
  HostSettings host;
  host.confdir = "/nonexistent/conf";
  host.jaildir = "/nonexistent/jails";
  return host;
}

TEST(Select, TakesEachNameOnce) {
  const auto names = select_jails(nowhere(), std::vector<std::string>{"b", "a", "b"});
  ASSERT_TRUE(names);
  EXPECT_THAT(*names, ElementsAre("b", "a"));
}

TEST(Select, RefusesABadNameAmongGoodOnes) {
  EXPECT_FALSE(select_jails(nowhere(), std::vector<std::string>{"a", "../b"}));
}

TEST(Select, RefusesANameBesideAll) {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"all", "a"}, {"a", "all"}, {"all", "all", "a"}}) {
    const auto names = select_jails(nowhere(), words);
    ASSERT_FALSE(names);
    EXPECT_THAT(names.error().message(), testing::HasSubstr("'a'"));
  }
  EXPECT_TRUE(select_jails(nowhere(), std::vector<std::string>{"all", "all"}));
  EXPECT_TRUE(select_jails(nowhere(), std::vector<std::string>{}));
}

TEST(Select, SaysWhichJailDoesNotExist) {
  const auto names = select_jails(nowhere(), std::string("web1"));
  ASSERT_FALSE(names);
  EXPECT_EQ(names.error().kind(), ErrorKind::no_such_jail);
  EXPECT_THAT(names.error().message(), testing::HasSubstr("'web1'"));
}

TEST(Select, AllOfNoneIsNone) {
  const auto names = select_jails(nowhere(), std::string("all"));
  ASSERT_TRUE(names);
  EXPECT_TRUE(names->empty());
}

TEST(IncWord, NamesJailAndInc) {
  const auto name = parse_inc_word("web1/2026-03-22-11");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->jail, "web1");
  EXPECT_EQ(name->inc, "2026-03-22-11");
}

TEST(IncWord, RefusesWhatLeavesTheDirectory) {
  for (const char* word :
       {"web1", "web1/", "/x", "web1/..", "web1/.", "web1/a/b", "../x", "all/x", "web1/.meta"}) {
    EXPECT_FALSE(parse_inc_word(word)) << word;
  }
}

TEST(PortWord, IsANumberOrAuto) {
  ASSERT_TRUE(parse_port_word("auto"));
  EXPECT_FALSE(*parse_port_word("auto"));
  ASSERT_TRUE(parse_port_word("2222"));
  EXPECT_EQ(*parse_port_word("2222"), 2222);
  for (const char* word : {"0", "65536", "-1", "22x", "", " 22", "Auto"}) {
    EXPECT_FALSE(parse_port_word(word)) << word;
  }
}

}  // namespace
}  // namespace evojail
