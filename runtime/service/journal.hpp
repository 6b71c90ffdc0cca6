#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace evojail {

/// The last lines that the journal has of a unit, oldest first; empty where it cannot be read.
[[nodiscard]] std::vector<std::string> last_words(const std::string& unit, std::size_t lines);

}  // namespace evojail
