#pragma once

#include <cstdint>

#include "jail/token_bucket.hpp"

namespace evojail {

/// How many lines may reach the host's log: so many at once, so many a second in the long run. What
/// is over that is dropped and counted. Pure: the time comes in as a value.
class LogLimit {
 public:
  using Clock = TokenBucket::Clock;

  LogLimit(double lines_per_second, double burst) : rate_(burst, lines_per_second) {}

  /// Whether one more line may be logged; one that may not counts as dropped.
  [[nodiscard]] bool may_pass(Clock::time_point now);

  /// How many were dropped since the last call.
  [[nodiscard]] std::uint64_t take_dropped();

 private:
  TokenBucket rate_;
  std::uint64_t dropped_ = 0;
};

}  // namespace evojail
