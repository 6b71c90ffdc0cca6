#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace evojail {

/// "64M": bytes, or with K, M or G the powers of 1024. Nothing where it is not of that form or does
/// not fit.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// The shortest text that parse_size() reads as `bytes`.
[[nodiscard]] std::string format_size(std::uint64_t bytes);

}  // namespace evojail
