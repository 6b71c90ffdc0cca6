#include "jail/log_limit.hpp"

#include <utility>

namespace evojail {

bool LogLimit::may_pass(Clock::time_point now) {
  if (rate_.take(now)) return true;
  ++dropped_;
  return false;
}

std::uint64_t LogLimit::take_dropped() { return std::exchange(dropped_, 0); }

}  // namespace evojail
