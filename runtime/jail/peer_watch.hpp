#pragma once

#include <cstdint>
#include <set>

#include "jail/event_loop.hpp"
#include "jail/log.hpp"
#include "jail/session_table.hpp"
#include "jail/supervisor_state.hpp"

namespace evojail {

/// Ends sessions whose connection is over. An sshd that does as it is told ends with its
/// connection; one that somebody has taken over would go on for ever, with nobody at the other end.
class PeerWatch {
 public:
  /// Seen gone at two looks in a row, a session ends.
  static constexpr std::chrono::seconds interval{15};

  PeerWatch(const SupervisorState& state, EventLoop& loop, SessionTable& sessions, LogSink log);

  /// There is a session, or may be: looks, unless it does already, and goes on from the loop until
  /// there is none.
  void watch();

 private:
  void look();

  const SupervisorState& state_;
  EventLoop& loop_;
  SessionTable& sessions_;
  LogSink log_;
  std::set<std::uint32_t> gone_;
  bool watching_ = false;
};

}  // namespace evojail
