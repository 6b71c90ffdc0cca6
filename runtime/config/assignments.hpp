#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace evojail {

/// One `KEY=value` line of a settings file.
struct Assignment {
  std::size_t line = 0;  ///< counted from 1
  std::string key;
  std::string value;      ///< without quotes
  std::size_t begin = 0;  ///< where the value, quotes included, starts in the text
  std::size_t end = 0;    ///< and where it ends
};

/// How the right-hand side of an assignment is read.
enum class ValueSyntax : std::uint8_t {
  plain,  ///< the rest of the line, or one quoted string; blanks are allowed in both
  shell,  ///< one word as sh(1) reads it, quoted parts included; nothing that sh would expand
};

/// "'FILE' line N: ", which every error about a settings file starts with.
[[nodiscard]] std::string at_line(std::string_view file, std::size_t line);

/// Splits the text of a settings file into its assignments. Blank lines and `#` comments, also
/// behind a value, are skipped. A line of any other form, a control character, an expansion (`$`, a
/// backquote) and a key that comes twice are errors with file and line.
[[nodiscard]] Result<std::vector<Assignment>> parse_assignments(std::string_view text,
                                                                std::string_view file,
                                                                ValueSyntax syntax);

/// A key that a settings file may hold.
template <class Settings>
struct SettingKey {
  std::string_view name;
  std::string_view accepted;                       ///< "a number from 1 to 65535"
  bool (*set)(Settings&, std::string_view value);  ///< false: not of the accepted form
};

/// The error for a key that no one knows, with the nearest of `known` as its hint.
[[nodiscard]] Error unknown_key(const Assignment& assignment, std::string_view file,
                                std::span<const std::string_view> known);

/// The error for a value that is not of the accepted form.
[[nodiscard]] Error bad_value(const Assignment& assignment, std::string_view file,
                              std::string_view accepted);

/// Carries every assignment into `settings` by its key's entry in `keys`.
template <class Settings>
[[nodiscard]] Result<void> apply_assignments(std::span<const Assignment> assignments,
                                             std::string_view file,
                                             std::span<const SettingKey<Settings>> keys,
                                             Settings& settings) {
  for (const Assignment& assignment : assignments) {
    const SettingKey<Settings>* found = nullptr;
    for (const auto& key : keys) {
      if (key.name == assignment.key) found = &key;
    }
    if (found == nullptr) {
      std::vector<std::string_view> known;
      for (const auto& key : keys) known.push_back(key.name);
      return std::unexpected(unknown_key(assignment, file, known));
    }
    if (!found->set(settings, assignment.value)) {
      return std::unexpected(bad_value(assignment, file, found->accepted));
    }
  }
  return {};
}

}  // namespace evojail
