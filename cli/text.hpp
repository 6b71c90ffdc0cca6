#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/amount.hpp"      // IWYU pragma: export
#include "base/local_time.hpp"  // IWYU pragma: export

namespace evojail {

/// "3 s", "4 min", "2 h 5 min", "3 d 4 h".
[[nodiscard]] std::string format_duration(std::int64_t seconds);

/// "2025-11-22", the day of format_local_time().
[[nodiscard]] std::string format_local_day(std::int64_t seconds);

/// "2025-11-22T21:40:07Z" (RFC 3339), for machines.
[[nodiscard]] std::string format_utc(std::int64_t seconds);

/// Words joined with `separator`.
[[nodiscard]] std::string join(const std::vector<std::string>& words, std::string_view separator);

/// "web1, db1 and mail1"; what is behind `limit` words is counted: "web1, db1 and 3 more".
[[nodiscard]] std::string enumerate(const std::vector<std::string>& words, std::size_t limit = 5);

}  // namespace evojail
