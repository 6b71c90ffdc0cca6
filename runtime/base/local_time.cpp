#include "base/local_time.hpp"

#include <fmt/format.h>

#include <array>
#include <ctime>

namespace evojail {

std::string format_local_time(std::int64_t seconds) {
  const auto clock = static_cast<std::time_t>(seconds);
  std::tm time{};
  if (::localtime_r(&clock, &time) == nullptr) return fmt::format("@{}", seconds);
  std::array<char, 64> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &time)};
}

}  // namespace evojail
