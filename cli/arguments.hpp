#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace evojail {

/// What one command takes. A command declares it once; parse_arguments() fills in the variables and
/// help shows it. Texts are literals; the variables must outlive the parsing.
class Arguments {
 public:
  /// A word that must be there.
  void word(std::string_view name, std::string& value, std::string_view help);
  /// A word that may be left out.
  void optional_word(std::string_view name, std::optional<std::string>& value,
                     std::string_view help);
  /// Any number of words, none included. The last of the words.
  void words(std::string_view name, std::vector<std::string>& values, std::string_view help);
  /// "--force" or "-f,--force".
  void flag(std::string_view names, bool& value, std::string_view help);
  /// "--port" with the value that `value_name` stands for.
  void option(std::string_view names, std::string_view value_name,
              std::optional<std::string>& value, std::string_view help);
  /// A command line for people to start from, behind "evojail ", and what it does.
  void example(std::string_view line, std::string_view what);
  /// A paragraph of the help.
  void note(std::string_view text);

  struct Entry {
    std::string_view name;        ///< of a word, or names of an option
    std::string_view value_name;  ///< of an option with a value
    std::string_view help;
    std::variant<std::string*, std::optional<std::string>*, std::vector<std::string>*, bool*>
        target;
    [[nodiscard]] bool is_option() const { return name.starts_with('-'); }
  };
  struct Example {
    std::string_view line;
    std::string_view what;
  };

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] const std::vector<Example>& examples() const { return examples_; }
  [[nodiscard]] const std::vector<std::string_view>& notes() const { return notes_; }

 private:
  std::vector<Entry> entries_;
  std::vector<Example> examples_;
  std::vector<std::string_view> notes_;
};

}  // namespace evojail
