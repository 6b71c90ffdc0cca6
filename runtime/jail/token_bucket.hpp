#pragma once

#include <chrono>

namespace evojail {

/// A bounded rate: `burst` at once, `per_second` in the long run. Pure: the time comes in as a
/// value.
class TokenBucket {
 public:
  using Clock = std::chrono::steady_clock;

  TokenBucket(double burst, double per_second) noexcept;

  /// Takes one, where one is left.
  [[nodiscard]] bool take(Clock::time_point now);

  /// When one is left: `now`, or later.
  [[nodiscard]] Clock::time_point next(Clock::time_point now);

 private:
  void fill(Clock::time_point now);

  double burst_;
  double per_second_;
  double left_;
  Clock::time_point last_{};
};

}  // namespace evojail
