#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <set>

#include "jail/process_table.hpp"

namespace evojail {

/// Which processes outlived their session, and until when they may. A session's sshd is a child
/// subreaper, so whatever it leaves becomes init's child at the moment it ends and never before: a
/// child of init that is no session's sshd is a leftover, and so is all below it. Pure: time and
/// processes come in as values.
class Leftovers {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds grace{10};

  /// Notes the leftovers that `table` shows and that were not known; they may stay until
  /// `deadline`.
  void note(const ProcessTable& table, const std::set<pid_t>& sessions, Clock::time_point deadline);

  /// No known one may stay longer than until `deadline`.
  void hurry(Clock::time_point deadline);

  /// A child of init has been reaped.
  void forget(pid_t pid) { known_.erase(pid); }

  /// Forgets whatever `table` does not show any more.
  void keep_only(const ProcessTable& table);

  [[nodiscard]] bool empty() const noexcept { return known_.empty(); }
  [[nodiscard]] std::optional<Clock::time_point> next_deadline() const;

  /// The processes to kill now: those whose time is over, with everything below them.
  [[nodiscard]] std::set<pid_t> due(const ProcessTable& table, Clock::time_point now) const;

 private:
  struct Entry {
    std::uint64_t start_time = 0;
    Clock::time_point deadline;
  };
  std::map<pid_t, Entry> known_;
};

}  // namespace evojail
