#pragma once

#include <functional>
#include <string_view>

#include "base/result.hpp"

namespace evojail {

enum class LogLevel { info, warning, error };

/// Where a supervisor's messages go; the program decides, the library only says what happened.
using LogSink = std::function<void(LogLevel, std::string_view)>;

/// The error, and where it has one a second line "hint: HINT".
inline void log_error(const LogSink& log, const Error& error) {
  log(LogLevel::error, error.message());
  if (!error.hint().empty()) log(LogLevel::info, "hint: " + error.hint());
}

}  // namespace evojail
