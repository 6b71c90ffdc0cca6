#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"

namespace evojail {

/// "2026-12-31", the last day on which a hold binds: the first second of the next day, local time.
/// Nothing for no date; a day before today is an error.
[[nodiscard]] Result<std::optional<std::int64_t>> parse_hold_end(
    const std::optional<std::string>& text);

/// A reason is one line, and not empty.
[[nodiscard]] Result<std::string> parse_reason(const std::optional<std::string>& text);

}  // namespace evojail
