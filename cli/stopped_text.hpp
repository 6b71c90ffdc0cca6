#pragma once

#include <string>

#include "service/service.hpp"

namespace evojail {

/// "2 sessions ended", or what it took where nobody could count them.
[[nodiscard]] std::string describe(const Stopped& stopped);

}  // namespace evojail
