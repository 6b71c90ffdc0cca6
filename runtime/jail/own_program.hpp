#pragma once

#include <string>

#include "base/result.hpp"

namespace evojail {

/// The program file to execute anew: an upgrade has put another one in the place of the one that
/// runs.
[[nodiscard]] Result<std::string> own_program();

}  // namespace evojail
