#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>
#include <vector>

namespace evojail {

/// The whole of `text` as a decimal number within [low, high]: no sign but a leading '-' where the
/// type has one, no blanks, nothing behind it.
template <std::integral T>
[[nodiscard]] std::optional<T> parse_number(std::string_view text, T low, T high) {
  T value{};
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (value < low || value > high) return std::nullopt;
  return value;
}

/// `text` without blanks, tabs and line ends at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);

/// The non-empty words of `text` between any of the bytes in `separators`.
[[nodiscard]] std::vector<std::string_view> split_words(std::string_view text,
                                                        std::string_view separators = " \t");

/// The lines of `text`, without their ends; a last line without a newline counts.
[[nodiscard]] std::vector<std::string_view> split_lines(std::string_view text);

}  // namespace evojail
