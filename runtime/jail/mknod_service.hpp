#pragma once

#include <optional>
#include <string>
#include <vector>

#include "jail/event_loop.hpp"
#include "jail/log.hpp"
#include "jail/mknod_proxy.hpp"
#include "jail/supervisor_state.hpp"
#include "jail/token_bucket.hpp"

namespace evojail {

/// A jail's device nodes in its supervisor's loop: one call a turn, at a bounded rate, so that no
/// caller keeps the supervisor from its connections or a processor from the neighbours. Callers
/// over the rate wait. Works on the supervisor's state, which outlives it.
class MknodService {
 public:
  static constexpr double burst = 500;       ///< calls at once
  static constexpr double per_second = 200;  ///< in the long run

  /// @param places device_places() of the jail
  MknodService(SupervisorState& state, EventLoop& loop, LogSink log,
               std::vector<std::string> places);

  /// Watches the listener; where there is none (an earlier program had to give it up) calls fail
  /// and refusal() says so.
  [[nodiscard]] Result<void> attach();

  /// The kernel holds callers for as long as the listener is open, and answers ENOSYS once it is
  /// closed: a push with devices fails from here on, and does not hang.
  void give_up(const Error& error);

  /// Why device nodes are refused; empty while they are made.
  [[nodiscard]] std::string refusal() const;

 private:
  void on_call();
  void wait_for_token();

  SupervisorState& state_;
  EventLoop& loop_;
  LogSink log_;
  std::vector<std::string> places_;
  std::optional<MknodProxy> proxy_;
  TokenBucket rate_{burst, per_second};
};

}  // namespace evojail
