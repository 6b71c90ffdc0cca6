#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "config/jail_settings.hpp"
#include "jail/control.hpp"
#include "jail/last_session.hpp"
#include "kernel/firewall.hpp"

namespace evojail {

/// What is known of one jail. What could not be found out is absent, and `troubles` says why.
struct JailStatus {
  std::string name;
  std::optional<JailSettings> settings;
  std::optional<Error> settings_trouble;       ///< why there are none
  std::optional<SupervisorStatus> supervisor;  ///< absent: off, or it did not answer
  bool answered = true;                        ///< false: whether it runs is not known
  std::size_t keys = 0;                        ///< in authorized_keys
  std::optional<LastSession> last_session;
  std::optional<std::string> newest_inc;  ///< by name; dated ones only
  std::optional<std::size_t> incs;        ///< dated ones
  std::size_t held_incs = 0;
  bool has_data = true;  ///< JAILDIR/NAME is there
  bool has_incs_policy = false;
  std::optional<Error> policy_trouble;  ///< it cannot be read, or is empty: no inc is removed
  bool policy_keeps_none = false;       ///< it says `none`
  std::size_t policy_days = 0;          ///< its lines that count days; bkctld's status shows both
  std::size_t policy_months = 0;        ///< and months
  std::optional<FirewallCounters> firewall;
  std::vector<std::string> troubles;  ///< a sentence each

  [[nodiscard]] bool on() const { return supervisor.has_value(); }
};

enum class StatusDetail {
  brief,  ///< what a table of all jails shows
  full,   ///< the firewall's counters as well
};

/// Gathers it. Only a jail that does not exist, or is of another layout, is an error.
[[nodiscard]] Result<JailStatus> read_jail_status(const HostSettings& host, const std::string& name,
                                                  StatusDetail detail);

}  // namespace evojail
