#pragma once

#include <functional>
#include <string_view>

namespace evojail {

enum class LogLevel { info, warning, error };

/// Where a supervisor's messages go; the program decides, the library only says what happened.
using LogSink = std::function<void(LogLevel, std::string_view)>;

}  // namespace evojail
