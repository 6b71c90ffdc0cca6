#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "jail/token_bucket.hpp"

namespace evojail {

/// How many lines may reach the host's log: so many at once, so many a second for a while, so many
/// within an hour. What is over that is dropped and counted. Pure: the time comes in as a value.
class LogLimit {
 public:
  using Clock = TokenBucket::Clock;

  LogLimit(double lines_per_second, double burst,
           std::uint64_t lines_per_hour = std::numeric_limits<std::uint64_t>::max())
      : rate_(burst, lines_per_second), lines_per_hour_(lines_per_hour) {}

  /// Whether one more line may be logged; one that may not counts as dropped.
  [[nodiscard]] bool may_pass(Clock::time_point now);

  /// Whether the hour's lines have passed, all of them.
  [[nodiscard]] bool is_spent() const { return passed_ >= lines_per_hour_; }

  /// How many were dropped since the last call.
  [[nodiscard]] std::uint64_t take_dropped();

 private:
  TokenBucket rate_;
  std::uint64_t lines_per_hour_;
  std::optional<Clock::time_point> hour_;  ///< when its first line passed
  std::uint64_t passed_ = 0;               ///< in the hour
  std::uint64_t dropped_ = 0;
};

}  // namespace evojail
