// The manual and the shells' completions are written by hand: each command and option that the
// program has must be in them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/parse.hpp"
#include "cli/command.hpp"
#include "cli/help.hpp"

namespace evojail {
namespace {

using testing::HasSubstr;

std::string document(const std::string& path) {
  const auto text = read_file(std::string(EVOJAIL_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(text) << text.error().message();
  return text.value_or("");
}

/// A manual's source as plain text: font changes gone, "\-" read as a dash.
std::string plain(std::string text) {
  for (const std::string_view font : {"\\fB", "\\fI", "\\fP", "\\fR"}) {
    for (std::size_t at = 0; (at = text.find(font, at)) != std::string::npos;) text.erase(at, 3);
  }
  for (std::size_t at = 0; (at = text.find("\\-", at)) != std::string::npos;) text.erase(at, 1);
  return text;
}

std::vector<std::string> options_of(const Command& command) {
  Arguments arguments;
  const Action action = command.declare(arguments);
  std::vector<std::string> options;
  for (const auto& entry : arguments.entries()) {
    if (!entry.is_option()) continue;
    for (const auto name : split_words(entry.name, ",")) {
      if (name.starts_with("--")) options.emplace_back(name);
    }
  }
  return options;
}

/// The lines in which something stands.
std::string lines_with(const std::string& text, std::string_view word) {
  std::string found;
  for (const auto line : split_lines(text)) {
    if (line.contains(word)) found += std::string(line) + "\n";
  }
  return found;
}

// Usage lines are what they are.
TEST(Help, FitsATerminal) {
  std::string text = general_help();
  for (const Command& command : all_commands()) {
    Arguments arguments;
    const Action action = command.declare(arguments);
    text += command_help(command, arguments);
  }
  for (const auto line : split_lines(text)) {
    EXPECT_TRUE(line.size() <= 80 || line.starts_with("usage: ")) << line;
  }
}

TEST(Manual, HasEveryCommandWithItsOptions) {
  const std::string manual = plain(document("docs/evojail.8"));
  for (const Command& command : all_commands()) {
    std::string synopsis;
    for (const auto line : split_lines(manual)) {
      const auto words = split_words(line, " |");
      const auto end = std::min<std::size_t>(words.size(), 4);
      if (std::find(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(end),
                    command.name) != words.begin() + static_cast<std::ptrdiff_t>(end)) {
        synopsis += std::string(line) + "\n";
      }
    }
    EXPECT_NE(synopsis, "") << command.name;
    for (const std::string& option : options_of(command)) {
      EXPECT_THAT(synopsis, HasSubstr(option)) << command.name;
    }
  }
}

class Completion : public testing::TestWithParam<const char*> {};

TEST_P(Completion, HasEveryCommandWithItsOptions) {
  const std::string text = document(std::string("cli/completion/") + GetParam());
  for (const Command& command : all_commands()) {
    const std::string lines = lines_with(text, command.name);
    EXPECT_NE(lines, "") << command.name;
    for (std::string option : options_of(command)) {
      if (std::string(GetParam()).ends_with(".fish")) option.erase(0, 2);
      EXPECT_THAT(lines, HasSubstr(option)) << command.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shells, Completion, testing::Values("evojail.bash", "_evojail", "evojail.fish"),
    [](const auto& shell) {
      return std::string(shell.index == 0 ? "bash" : shell.index == 1 ? "zsh" : "fish");
    });

}  // namespace
}  // namespace evojail
