#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace evojail {

/// Where the host settings are, unless somebody says otherwise.
inline constexpr const char* default_host_settings = "/etc/default/evojail";

/// /etc/default/evojail, validated. Directories are absolute, without a trailing slash.
struct HostSettings {
  std::string confdir = "/etc/evobackup";  ///< CONFDIR: NAME.d/ holds a jail's settings and keys
  std::string jaildir = "/backup/jails";   ///< JAILDIR: what clients own
  std::string incdir = "/backup/incs";     ///< INCDIR
  std::string archivesdir = "/backup/archives";  ///< ARCHIVESDIR
  std::string datadir = "/var/lib/evojail";      ///< DATADIR: base images, uid-range leases
  std::string rundir = "/run/evojail";           ///< RUNDIR: locks, control sockets
  std::string logdir = "/var/log/evojail";  ///< LOGDIR: logs of supervisors that no systemd keeps
  std::string firewall_table = "evojail";   ///< FIREWALL_TABLE: the inet table's name
  unsigned disk_reserve_percent = 5;        ///< DISK_RESERVE: kept free on the volume, 0 to 90
  unsigned warning_hours = 24;              ///< WARNING: checks, unless check_policy says; 0: off
  unsigned critical_hours = 48;             ///< CRITICAL: likewise
  std::string node;                         ///< NODE: bkctld's name of this server, for scripts

  bool operator==(const HostSettings&) const = default;
};

/// Parses the text of a settings file: `KEY=value` lines, optionally quoted, `#` comments. An
/// unknown key, a bad value or a duplicate is an error that names `file`, the line and the accepted
/// form. So is a directory that is JAILDIR, INCDIR or ARCHIVESDIR, or lies within one, but should
/// not.
[[nodiscard]] Result<HostSettings> parse_host_settings(std::string_view text,
                                                       std::string_view file);

/// A text that parse_host_settings() makes the same settings of.
[[nodiscard]] std::string format_host_settings(const HostSettings& settings);

/// Parses /etc/default/bkctld, which is shell: quotes stripped, bkctld's own keys accepted (those
/// without a meaning here are passed over), an expansion or a command substitution refused.
[[nodiscard]] Result<HostSettings> parse_bkctld_settings(std::string_view text,
                                                         std::string_view file);

/// Reads `file`. Where the default path was not given explicitly and is missing, `bkctld_file`, and
/// where that is missing too, the defaults.
[[nodiscard]] Result<HostSettings> load_host_settings(
    const std::string& file, bool explicit_file,
    const std::string& bkctld_file = "/etc/default/bkctld");

}  // namespace evojail
