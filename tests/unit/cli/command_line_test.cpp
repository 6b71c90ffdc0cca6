#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command.hpp"
#include "cli/help.hpp"
#include "cli/program.hpp"

namespace evojail {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

CommandLine split(const std::vector<std::string>& words) {
  auto line = split_command_line(words);
  EXPECT_TRUE(line) << line.error().message();
  return line.value_or(CommandLine());
}

TEST(CommandLine, FindsTheCommand) {
  const CommandLine line = split({"--config", "/x", "init", "web1", "--port", "auto"});
  EXPECT_EQ(line.config, "/x");
  EXPECT_EQ(line.command, "init");
  EXPECT_THAT(line.arguments, ElementsAre("web1", "--port", "auto"));
}

TEST(CommandLine, TakesItsOwnOptionsAnywhere) {
  const CommandLine line = split({"rm", "web1", "-q", "--config=/y", "--dry-run"});
  EXPECT_EQ(line.config, "/y");
  EXPECT_TRUE(line.quiet);
  EXPECT_THAT(line.arguments, ElementsAre("web1", "--dry-run"));
}

// bkctld wants `bkctld --force remove web1`.
TEST(CommandLine, GivesOptionsInFrontToTheCommand) {
  const CommandLine line = split({"--force", "remove", "web1"});
  EXPECT_EQ(line.command, "remove");
  EXPECT_THAT(line.arguments, ElementsAre("--force", "web1"));
}

TEST(CommandLine, KeepsWhatIsBehindTheEndOfOptions) {
  const CommandLine line = split({"key", "web1", "--", "--help"});
  EXPECT_FALSE(line.help);
  EXPECT_THAT(line.arguments, ElementsAre("web1", "--", "--help"));
}

TEST(CommandLine, WantsAValueForConfig) {
  EXPECT_FALSE(split_command_line({"list", "--config"}));
  EXPECT_FALSE(split_command_line({"list", "--config", ""}));
}

TEST(CommandLine, MayBeEmpty) {
  const CommandLine line = split({});
  EXPECT_EQ(line.command, "");
  EXPECT_THAT(line.arguments, IsEmpty());
}

TEST(Commands, AreFoundByName) {
  ASSERT_NE(find_command("inc-hold"), nullptr);
  EXPECT_EQ(find_command("inc-hold")->name, "inc-hold");
  EXPECT_EQ(find_command("no-such"), nullptr);
}

TEST(Commands, AllHaveHelpWithExamples) {
  for (const Command& command : all_commands()) {
    Arguments arguments;
    const Action action = command.declare(arguments);
    EXPECT_TRUE(action) << command.name;
    EXPECT_FALSE(arguments.examples().empty()) << command.name;
    const std::string text = command_help(command, arguments);
    EXPECT_THAT(text, HasSubstr("usage: evojail " + std::string(command.name)));
    EXPECT_THAT(text, HasSubstr("\nExamples:\n")) << command.name;
    EXPECT_THAT(general_help(), HasSubstr("\n  " + std::string(command.name) + " "));
  }
}

TEST(Help, FitsIntoATerminal) {
  std::vector<std::string> texts{general_help()};
  for (const Command& command : all_commands()) {
    Arguments arguments;
    const Action action = command.declare(arguments);
    texts.push_back(command_help(command, arguments));
  }
  for (const std::string& text : texts) {
    std::size_t begin = 0;
    while (begin < text.size()) {
      const std::size_t end = text.find('\n', begin);
      const std::string line = text.substr(begin, end - begin);
      EXPECT_TRUE(line.size() <= 90 || line.starts_with("usage:")) << line;
      begin = end + 1;
    }
  }
}

}  // namespace
}  // namespace evojail
