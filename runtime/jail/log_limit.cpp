#include "jail/log_limit.hpp"

#include <utility>

namespace evojail {

bool LogLimit::may_pass(Clock::time_point now) {
  if (!hour_ || now - *hour_ >= std::chrono::hours(1)) {
    hour_ = now;
    passed_ = 0;
  }
  if (!is_spent() && rate_.take(now)) {
    ++passed_;
    return true;
  }
  ++dropped_;
  return false;
}

std::uint64_t LogLimit::take_dropped() { return std::exchange(dropped_, 0); }

}  // namespace evojail
