#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "jail/control.hpp"
#include "jail/disk_guard.hpp"
#include "jail/event_loop.hpp"
#include "jail/log.hpp"
#include "jail/log_limit.hpp"
#include "jail/session_report.hpp"
#include "jail/supervisor_state.hpp"

namespace evojail {

/// What bounds the sessions to come.
struct SessionLimits {
  unsigned most = 0;                   ///< MAX_SESSIONS
  std::chrono::seconds login_grace{};  ///< LOGIN_GRACE_TIME
};

/// The sessions of one jail: hands connections to init, keeps count and log of what becomes of
/// them, ends them. Works on the supervisor's state, which outlives it.
class SessionTable {
 public:
  using Ended = std::function<void(const SessionRecord&)>;

  SessionTable(SupervisorState& state, EventLoop& loop, LogSink log, Ended ended);

  /// Watches the report FIFO and the logs of sessions that were handed over.
  [[nodiscard]] Result<void> attach(std::chrono::seconds login_grace);

  /// Passes the connection to init, or turns it away where there are too many (admit()). Its sshd
  /// ends it where nobody logs in in time; this does where sshd does not.
  [[nodiscard]] Result<void> begin(Accepted accepted, const SessionLimits& limits);

  /// Resets a connection and logs why, within the jail's share of the log.
  void turn_away(const Accepted& accepted, std::string_view reason);

  /// init says which process of its own this session's sshd is.
  void on_started(std::uint32_t id, pid_t process);

  /// init says that this session's sshd has ended.
  void on_ended(std::uint32_t id);

  /// Ends the sessions that `which` picks: the connection is reset, its processes are killed.
  /// @return how many.
  std::uint64_t end_where(const std::function<bool(const Session&)>& which);
  std::uint64_t end_all();

  /// Takes in what sessions have reported up to now: the state is complete then.
  void read_reports();

  [[nodiscard]] std::vector<SessionStatus> status();

  /// Bytes received so far, by session; what it wrote is not known here.
  [[nodiscard]] std::map<std::uint32_t, DiskUse> disk_use() const;

 private:
  [[nodiscard]] Result<void> watch_log(Session& session);
  void end_unless_logged_in(std::uint32_t id, std::chrono::seconds after);
  void read_log(std::uint32_t id);
  void hear_reports();
  void note_report(const SessionReport& report);
  void log_bounded(LogLevel level, std::string_view line);
  void log_lines(const Session& session, const std::vector<std::string>& lines);
  void finish(Session& session);

  SupervisorState& state_;
  EventLoop& loop_;
  LogSink log_;
  Ended ended_;
  // For all that strangers, or all sessions together, can have written: each has a limit of its
  // own.
  LogLimit log_limit_;
  // The jail's root can write there without end: it waits for the pipe then, and keeps no processor
  // busy out here.
  TokenBucket report_reads_{200, 100};
  SessionReportReader reports_;
};

}  // namespace evojail
