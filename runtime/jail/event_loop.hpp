#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace evojail {

/// A single-threaded loop over descriptors and deadlines, on epoll(7). Callbacks may add and remove
/// descriptors and timers, their own included.
class EventLoop {
 public:
  using Clock = std::chrono::steady_clock;
  using Callback = std::function<void()>;
  using TimerId = std::uint64_t;

  [[nodiscard]] static Result<EventLoop> make();

  /// Calls `callback` whenever `fd` is readable or hung up. The descriptor stays the caller's.
  [[nodiscard]] Result<void> watch(int fd, Callback callback);
  void unwatch(int fd);
  /// Leaves what comes on a watched descriptor where it is until `when`, unless unwatch() comes
  /// first; then its callback goes on, or `failed` hears why it cannot.
  void pause(int fd, Clock::time_point when, std::function<void(const Error&)> failed);

  /// Calls `callback` once, at or after `when`, and not before every descriptor that is ready had
  /// its turn. @return a number that is never 0.
  TimerId at(Clock::time_point when, Callback callback);
  void cancel(TimerId timer);

  /// Runs until stop().
  [[nodiscard]] Result<void> run();
  void stop() noexcept { running_ = false; }

 private:
  explicit EventLoop(Fd epoll) : epoll_(std::move(epoll)) {}
  void run_due_timers();
  [[nodiscard]] int timeout_ms() const;

  struct Watch {
    std::uint32_t number = 0;
    std::shared_ptr<Callback> callback;
  };

  Fd epoll_;
  std::map<int, Watch> watched_;  ///< by descriptor
  std::uint32_t last_watch_ = 0;
  std::multimap<Clock::time_point, std::pair<TimerId, Callback>> timers_;
  TimerId last_timer_ = 0;
  bool running_ = false;
};

}  // namespace evojail
