#include "cli/parse_arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace evojail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A command with one of each.
struct Everything {
  std::string name;
  std::optional<std::string> file;
  std::vector<std::string> rest;
  std::optional<std::string> port;
  bool force = false;
  Arguments arguments;

  explicit Everything(bool with_rest = false) {
    arguments.word("NAME", name, "");
    arguments.optional_word("FILE|-", file, "");
    if (with_rest) arguments.words("MORE", rest, "");
    arguments.option("--port", "PORT", port, "");
    arguments.flag("-f,--force", force, "");
  }
  Result<void> parse(const std::vector<std::string>& words) {
    return parse_arguments("do", arguments, words);
  }
};

std::string message_of(const Result<void>& result) {
  return result ? "no error" : result.error().message();
}

TEST(ParseArguments, DealsOutWordsAndOptionsInAnyOrder) {
  Everything all;
  ASSERT_TRUE(all.parse({"--port", "2222", "web1", "-f", "key.pub"}));
  EXPECT_EQ(all.name, "web1");
  EXPECT_EQ(all.file, "key.pub");
  EXPECT_EQ(all.port, "2222");
  EXPECT_TRUE(all.force);
}

TEST(ParseArguments, LeavesOutWhatMayBeLeftOut) {
  Everything all;
  ASSERT_TRUE(all.parse({"web1"}));
  EXPECT_FALSE(all.file);
  EXPECT_FALSE(all.port);
  EXPECT_FALSE(all.force);
}

TEST(ParseArguments, TakesADashForAWord) {
  Everything all;
  ASSERT_TRUE(all.parse({"web1", "-"}));
  EXPECT_EQ(all.file, "-");
}

TEST(ParseArguments, TakesAnEqualsSign) {
  Everything all;
  ASSERT_TRUE(all.parse({"web1", "--port=auto"}));
  EXPECT_EQ(all.port, "auto");
}

TEST(ParseArguments, TakesTheRestOfTheWords) {
  Everything all(true);
  ASSERT_TRUE(all.parse({"a", "b", "c", "d"}));
  EXPECT_THAT(all.rest, ElementsAre("c", "d"));
  Everything none(true);
  ASSERT_TRUE(none.parse({"a"}));
  EXPECT_THAT(none.rest, IsEmpty());
}

// CLI11 by itself splits "[a,b]" into two values.
TEST(ParseArguments, LeavesWordsAsTheyAre) {
  Everything all(true);
  ASSERT_TRUE(all.parse({"[a,b]", "{}", "[c,d]", " e "}));
  EXPECT_EQ(all.name, "[a,b]");
  EXPECT_THAT(all.rest, ElementsAre("[c,d]", " e "));
}

TEST(ParseArguments, KnowsTheEndOfOptions) {
  Everything all;
  ASSERT_TRUE(all.parse({"--", "--name", "--force"}));
  EXPECT_EQ(all.name, "--name");
  EXPECT_EQ(all.file, "--force");
  EXPECT_FALSE(all.force);
}

TEST(ParseArguments, RefusesWithUsageAsHint) {
  Everything all;
  EXPECT_EQ(message_of(all.parse({})), "do: NAME is missing");
  EXPECT_EQ(message_of(all.parse({"a", "b", "c"})), "do: 'c' is one word too many");
  EXPECT_EQ(message_of(all.parse({"a", "--bogus"})), "do: there is no option '--bogus'");
  EXPECT_EQ(message_of(all.parse({"a", "-x"})), "do: there is no option '-x'");
  EXPECT_EQ(message_of(all.parse({"--bogus", "--", "a"})), "do: there is no option '--bogus'");
  EXPECT_EQ(message_of(all.parse({"a", "--port"})), "do: --port needs a value");
  EXPECT_EQ(message_of(all.parse({"a", "--port", "1", "--port", "2"})),
            "do: --port is given more than once");
  const auto error = all.parse({}).error();
  EXPECT_THAT(error.hint(), HasSubstr("usage: evojail do NAME [FILE|-] [--port PORT] [--force]"));
  EXPECT_EQ(error.kind(), ErrorKind::failed);
}

TEST(ParseArguments, EscapesWhatItRefuses) {
  Everything all;
  EXPECT_EQ(message_of(all.parse({"a", "b", "\x1b[2J"})), "do: '\\x1b[2J' is one word too many");
}

}  // namespace
}  // namespace evojail
