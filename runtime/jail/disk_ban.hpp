#pragma once

#include <chrono>

namespace evojail {

/// For how long a jail gets no new session after one was ended for DISK_RESERVE. A session writes
/// until it is found to: a client that came back each time would fill the volume in many short
/// goes. Pure: the time comes in as a value.
class DiskBan {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds first{60};
  static constexpr std::chrono::seconds longest{3600};

  /// A session has been ended for the volume: unless a ban holds, one begins, twice as long as the
  /// last one.
  void begin(Clock::time_point now) noexcept;
  /// There is room: what was is forgotten.
  void lift() noexcept;
  /// When the last ban ends, or ended.
  [[nodiscard]] Clock::time_point until() const noexcept { return until_; }
  [[nodiscard]] bool holds(Clock::time_point now) const noexcept { return now < until_; }

 private:
  std::chrono::seconds next_ = first;
  Clock::time_point until_;
};

}  // namespace evojail
