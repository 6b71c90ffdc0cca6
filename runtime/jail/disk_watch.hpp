#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "config/host_settings.hpp"
#include "jail/disk_ban.hpp"
#include "jail/disk_guard.hpp"
#include "jail/disk_mark.hpp"
#include "jail/event_loop.hpp"
#include "jail/log.hpp"
#include "jail/session_table.hpp"
#include "jail/supervisor_state.hpp"
#include "store/host_check.hpp"

namespace evojail {

/// DISK_RESERVE: while the volume is low, sessions of this jail that write to it end, and what
/// ended sessions have left behind ends at once. Looks while there is anybody to watch, the
/// oftener the less room there is.
class DiskWatch {
 public:
  DiskWatch(const HostSettings& host, const SupervisorState& state, EventLoop& loop,
            SessionTable& sessions, LogSink log);

  /// There is somebody to watch, or may be: looks, unless it does already, and goes on from the
  /// loop until there is nobody left.
  void watch();

  /// Whether the volume is low now: asked, not remembered.
  [[nodiscard]] bool is_low() const;

  /// Whether a new session is to be turned away: one has just been ended for the volume, which is
  /// low still.
  [[nodiscard]] bool turns_away() const;
  /// Until when at the latest, while turns_away().
  [[nodiscard]] DiskBan::Clock::time_point turns_away_until() const { return ban_.until(); }

 private:
  void look();
  void judge();
  [[nodiscard]] bool has_anybody_to_watch();
  /// Of the jail's processes; what was written goes to `counts`.
  JailStir add_written(std::map<std::uint32_t, DiskUse>& counts);
  void end(const std::set<std::uint32_t>& writers, const FreeSpace& space);

  const HostSettings& host_;
  const SupervisorState& state_;
  EventLoop& loop_;
  SessionTable& sessions_;
  LogSink log_;
  DiskGuard guard_;
  DiskBan ban_;
  DiskMark mark_;
  EventLoop::Clock::time_point watch_until_;
  bool watching_ = false;
  bool blind_ = false;  // the last look failed
};

}  // namespace evojail
