#include "config/jail_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/parse.hpp"
#include "base/printable.hpp"

namespace evojail {
namespace {

constexpr std::size_t kLongestName = 64;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool may_follow(char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; }

bool all_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<std::string> parse_jail_name(std::string_view text) {
  const bool formed = !text.empty() && text.size() <= kLongestName &&
                      is_alphanumeric(text.front()) && std::ranges::all_of(text, may_follow);
  if (formed && text != "all" && !text.ends_with(".d")) return std::string(text);
  Error error(fmt::format("'{}' cannot be a jail's name", printable(text)));
  if (text == "all") {
    return std::unexpected(std::move(error).hint(
        "where a command takes it, it stands for every jail; here one is named"));
  }
  const std::string_view jail = text.substr(0, text.find('/'));
  if (jail != text && is_inc_name(text.substr(jail.size() + 1)) && parse_jail_name(jail)) {
    return std::unexpected(std::move(error).hint(fmt::format("that is an inc of jail '{}'", jail)));
  }
  return std::unexpected(std::move(error).hint(
      "a name starts with a letter or digit, goes on with letters, digits, '.', '_' and "
      "'-', has at most 64 bytes, is not 'all' and does not end in '.d'"));
}

bool is_inc_name(std::string_view text) {
  if (text.size() != 13 || text[4] != '-' || text[7] != '-' || text[10] != '-') return false;
  const auto number = [text](std::size_t at, std::size_t length) {
    const std::string_view digits = text.substr(at, length);
    return all_digits(digits) ? parse_number(digits, 0, 9999).value_or(-1) : -1;
  };
  const int year = number(0, 4);
  const int month = number(5, 2);
  const int day = number(8, 2);
  const int hour = number(11, 2);
  if (year < 0 || month < 0 || day < 0 || hour < 0 || hour > 23) return false;
  return std::chrono::year_month_day{std::chrono::year{year},
                                     std::chrono::month{static_cast<unsigned>(month)},
                                     std::chrono::day{static_cast<unsigned>(day)}}
      .ok();
}

}  // namespace evojail
