#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace evojail {

/// On which line each value of a JSON text stands, by JSON pointer (RFC 6901); "" is the whole
/// text.
using JsonLines = std::map<std::string, unsigned, std::less<>>;

/// The pointer to the member `name`, or the element of that number, of what `parent` points to.
[[nodiscard]] std::string json_pointer(std::string_view parent, std::string_view name);

/// Reads `text` once for what a JSON library's document no longer shows: lines, and members that
/// are repeated (an error here, where RFC 8259 lets one of them win silently). Syntax errors and
/// nesting deeper than 16 levels are errors too, all with `file` and line.
[[nodiscard]] Result<JsonLines> read_json_lines(std::string_view text, std::string_view file);

}  // namespace evojail
