#include "cli/hold_date.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "base/parse.hpp"
#include "base/printable.hpp"
#include "retention/civil_date.hpp"

namespace evojail {

Result<std::optional<std::int64_t>> parse_hold_end(const std::optional<std::string>& text) {
  if (!text) return std::nullopt;
  const auto date = parse_civil_date(*text);
  if (!date || date->year > 9999) {
    return std::unexpected(Error(fmt::format("'{}' is no date", printable(*text)))
                               .hint("write it as 2026-12-31: the last day of the hold"));
  }
  std::tm day{};
  day.tm_year = static_cast<int>(date->year - 1900);
  day.tm_mon = static_cast<int>(date->month) - 1;
  day.tm_mday = static_cast<int>(date->day) + 1;
  day.tm_isdst = -1;
  const std::time_t end = std::mktime(&day);
  if (end <= std::time(nullptr))
    return fail(fmt::format("{} is over: a hold needs a day to come", *text));
  return end;
}

Result<std::string> parse_reason(const std::optional<std::string>& text) {
  std::string reason(trim(text.value_or("")));
  if (reason.empty()) {
    return std::unexpected(Error("--reason is missing")
                               .hint("a hold says why, for whoever meets it in a year's time"));
  }
  if (std::ranges::any_of(reason, [](char c) { return static_cast<unsigned char>(c) < ' '; })) {
    return fail("--reason is one line of text");
  }
  return reason;
}

}  // namespace evojail
