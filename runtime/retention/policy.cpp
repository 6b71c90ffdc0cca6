#include "retention/policy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "base/parse.hpp"
#include "base/printable.hpp"
#include "config/assignments.hpp"
#include "retention/date.hpp"

namespace evojail {
namespace {

constexpr std::string_view kForm =
    "a line is '+' with %Y, %m, %d, digits and '-', then '.', then a sign, a number and day, week, "
    "month or year: +%Y-%m-%d.-2day";

bool is_format(std::string_view format) {
  while (!format.empty()) {
    const char c = format.front();
    format.remove_prefix(1);
    if (c == '-' || (c >= '0' && c <= '9')) continue;
    const bool field = c == '%' && !format.empty() && std::string_view("Ymd").contains(format[0]);
    if (!field) return false;
    format.remove_prefix(1);
  }
  return true;
}

std::optional<Jump> parse_jump(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, Jump::Unit>, 4> kUnits = {
      {{"day", Jump::Unit::day},
       {"week", Jump::Unit::week},
       {"month", Jump::Unit::month},
       {"year", Jump::Unit::year}}};
  const bool minus = text.starts_with('-');
  if (!minus && !text.starts_with('+')) return std::nullopt;
  const std::size_t digits = std::min(text.find_first_not_of("0123456789", 1), text.size());
  if (digits == 1) return std::nullopt;
  const auto count = parse_number(text.substr(minus ? 0 : 1, digits - (minus ? 0 : 1)),
                                  std::numeric_limits<std::int64_t>::min(),
                                  std::numeric_limits<std::int64_t>::max());
  std::string_view unit = text.substr(digits);
  if (unit.ends_with('s')) unit.remove_suffix(1);
  for (const auto& [name, value] : kUnits) {
    if (count && unit == name) return Jump{.count = *count, .unit = value};
  }
  return std::nullopt;
}

Result<PolicyLine> parse_line(std::string_view text, std::string_view file, std::size_t number) {
  const auto error = [&](std::string_view what) {
    return std::unexpected(
        Error(fmt::format("{}'{}' {}", at_line(file, number), printable(text), what)).hint(kForm));
  };
  const auto dot = text.find('.');
  if (!text.starts_with('+') || dot == std::string_view::npos) return error("is no policy line");
  const std::string_view format = text.substr(1, dot - 1);
  if (!is_format(format)) return error("has no FORMAT before its '.'");
  const auto jump = parse_jump(text.substr(dot + 1));
  if (!jump) return error("has no JUMP behind its '.'");
  if (!date_takes(format, *jump)) return error("names nothing that date(1) takes for a date");
  return PolicyLine{
      .number = number, .text = std::string(text), .format = std::string(format), .jump = *jump};
}

}  // namespace

Result<Policy> parse_policy(std::string_view text, std::string_view file) {
  Policy policy{.file = std::string(file), .lines = {}};
  std::size_t none = 0;
  std::size_t number = 0;
  for (const std::string_view raw : split_lines(text)) {
    ++number;
    const std::string_view line = trim(raw);
    if (line.empty() || line.starts_with('#')) continue;
    if (line == "none" && none == 0) {
      none = number;
      continue;
    }
    TRY(PolicyLine parsed, parse_line(line, file, number));
    policy.lines.push_back(std::move(parsed));
  }
  if (none != 0 && !policy.lines.empty()) {
    return std::unexpected(
        Error(fmt::format("{}'none' stands beside lines that keep something", at_line(file, none)))
            .hint("keep either 'none' or the other lines"));
  }
  if (none == 0 && policy.lines.empty()) {
    return std::unexpected(
        Error(fmt::format("'{}' is empty: no line keeps an inc", file))
            .hint(
                "where no inc is to be kept, the file says 'none'; where no inc is to be taken nor "
                "removed, there is no such file"));
  }
  return policy;
}

std::string_view new_policy() {
  return R"(# Which incs of this jail are kept, see evojail-incs-policy(5). A line keeps the incs of one day.

# Today and the three days before.
+%Y-%m-%d.-0day
+%Y-%m-%d.-1day
+%Y-%m-%d.-2day
+%Y-%m-%d.-3day

# The first of this month and of the last.
+%Y-%m-01.-0month
+%Y-%m-01.-1month
)";
}

}  // namespace evojail
