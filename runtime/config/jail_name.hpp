#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace evojail {

/// Checks a jail's name: starts with a letter or digit, goes on with letters, digits, '.', '_',
/// '-', up to 64 bytes, is not "all" and does not end in ".d" (CONFDIR/NAME.d is its settings
/// directory).
[[nodiscard]] Result<std::string> parse_jail_name(std::string_view text);

/// Whether `text` is an inc's name: `%Y-%m-%d-%H`, a date and hour that exist.
[[nodiscard]] bool is_inc_name(std::string_view text);

}  // namespace evojail
