#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "cli/arguments.hpp"

namespace evojail {

/// "init NAME [--port PORT|auto] [--key FILE]".
[[nodiscard]] std::string usage_line(std::string_view command, const Arguments& arguments);

/// Fills in the variables that `arguments` declares from the words behind the command. An unknown
/// option, a word too many, a missing word or value is an error with the usage as its hint.
[[nodiscard]] Result<void> parse_arguments(std::string_view command, const Arguments& arguments,
                                           const std::vector<std::string>& words);

}  // namespace evojail
