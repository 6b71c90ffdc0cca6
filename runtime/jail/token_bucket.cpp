#include "jail/token_bucket.hpp"

#include <algorithm>

namespace evojail {

TokenBucket::TokenBucket(double burst, double per_second) noexcept
    : burst_(burst), per_second_(per_second), left_(burst) {}

bool TokenBucket::take(Clock::time_point now) {
  fill(now);
  if (left_ < 1) return false;
  left_ -= 1;
  return true;
}

TokenBucket::Clock::time_point TokenBucket::next(Clock::time_point now) {
  fill(now);
  if (left_ >= 1) return now;
  return now + std::chrono::ceil<Clock::duration>(
                   std::chrono::duration<double>((1 - left_) / per_second_));
}

void TokenBucket::fill(Clock::time_point now) {
  const std::chrono::duration<double> since = now - last_;
  last_ = now;
  left_ = std::min(burst_, left_ + since.count() * per_second_);
}

}  // namespace evojail
