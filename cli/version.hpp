#pragma once

#include <string_view>

namespace evojail {

/// The project's version, "0.1.0".
[[nodiscard]] std::string_view version();

}  // namespace evojail
