#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "jail/control.hpp"
#include "jail/event_loop.hpp"
#include "jail/log.hpp"
#include "jail/session_report.hpp"
#include "jail/supervisor_state.hpp"

namespace evojail {

/// The sessions of one jail: hands connections to init, keeps count and log of what becomes of
/// them, ends them. Works on the supervisor's state, which outlives it.
class SessionTable {
 public:
  using Ended = std::function<void(const SessionRecord&)>;

  SessionTable(SupervisorState& state, EventLoop& loop, LogSink log, Ended ended);

  /// Watches the report FIFO and the logs of sessions that were handed over.
  [[nodiscard]] Result<void> attach();

  /// Passes the connection to init. More than `most` at once are turned away.
  [[nodiscard]] Result<void> begin(Accepted accepted, unsigned most);

  /// init says that this session's sshd has ended.
  void on_ended(std::uint32_t id);

  /// Ends the sessions that `which` picks: the connection is reset, its processes are killed.
  /// @return how many.
  std::uint64_t end_where(const std::function<bool(const Session&)>& which);
  std::uint64_t end_all();

  [[nodiscard]] std::vector<SessionStatus> status() const;

  /// Bytes received so far, by session.
  [[nodiscard]] std::map<std::uint32_t, std::uint64_t> received() const;

 private:
  [[nodiscard]] Result<void> watch_log(Session& session);
  void read_log(std::uint32_t id);
  void read_reports();
  void note_report(const SessionReport& report);
  void log_lines(const Session& session, const std::vector<std::string>& lines);
  void finish(Session& session);

  SupervisorState& state_;
  EventLoop& loop_;
  LogSink log_;
  Ended ended_;
  SessionReportReader reports_;
};

}  // namespace evojail
