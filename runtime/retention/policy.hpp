#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace evojail {

/// How far a policy line jumps from its reference: "-2day", "+1month".
struct Jump {
  enum class Unit : std::uint8_t { day, week, month, year };
  std::int64_t count = 0;
  Unit unit = Unit::day;

  bool operator==(const Jump&) const = default;
};

/// One `FORMAT.JUMP` line. The reference, a date in FORMAT, and JUMP together name the one day
/// whose incs the line keeps.
struct PolicyLine {
  std::size_t number = 0;  ///< in its file, counted from 1
  std::string text;        ///< "+%Y-%m-%d.-2day"
  std::string format;      ///< "%Y-%m-%d"
  Jump jump;

  bool operator==(const PolicyLine&) const = default;
};

/// An incs_policy, validated.
struct Policy {
  std::string file;
  std::vector<PolicyLine> lines;  ///< empty for `none`: no inc is kept, on purpose

  bool operator==(const Policy&) const = default;
};

/// Parses the text of an incs_policy: lines `FORMAT.JUMP`, where FORMAT is '+' and then %Y, %m, %d,
/// digits and '-', and JUMP is a sign, a number, and day, week, month or year, with or without an
/// s. Blank lines and `#` lines are skipped. A file that says `none` and nothing else keeps
/// nothing. Anything else, an empty policy, and a FORMAT that date(1) never takes for a date or
/// time are errors that name `file` and line, so that no slip of the pen is read as "keep nothing".
[[nodiscard]] Result<Policy> parse_policy(std::string_view text, std::string_view file);

/// The commented incs_policy of a new jail: today and the three days before, the first of this
/// month and of the last.
[[nodiscard]] std::string_view new_policy();

}  // namespace evojail
