#pragma once

#include <cstdint>
#include <string>

namespace evojail {

/// "2025-11-22 22:40:07", local time.
[[nodiscard]] std::string format_local_time(std::int64_t seconds);

}  // namespace evojail
