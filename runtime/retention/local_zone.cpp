#include "retention/local_zone.hpp"

#include <algorithm>
#include <ctime>

namespace evojail {
namespace {

// The years that struct tm can hold, and a little less: localtime_r(3) fails beyond.
constexpr std::int64_t kFarthest = 67'000'000'000'000'000;

}  // namespace

Zone load_local_zone() {
  ::tzset();
  return [](std::int64_t utc) {
    const time_t at = std::clamp(utc, -kFarthest, kFarthest);
    struct tm there{};
    if (::localtime_r(&at, &there) == nullptr) return LocalOffset{};
    return LocalOffset{.seconds_east = static_cast<std::int32_t>(there.tm_gmtoff),
                       .summer = there.tm_isdst > 0};
  };
}

}  // namespace evojail
