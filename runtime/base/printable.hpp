#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace evojail {

/// `text` fit for a message on a terminal: bytes outside printable ASCII become \xNN, a backslash
/// becomes \\, and what is longer than `limit` bytes ends in "...".
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 80);

}  // namespace evojail
