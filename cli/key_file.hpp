#pragma once

#include <string>

#include "base/result.hpp"

namespace evojail {

/// Reads and checks a file of public keys; "-" is stdin. Each line is checked, errors name file and
/// line.
[[nodiscard]] Result<std::string> read_key_file(const std::string& word);

}  // namespace evojail
