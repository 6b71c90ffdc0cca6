#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/address.hpp"

namespace evojail {

/// CONFDIR/NAME.d/jail.conf, validated.
struct JailSettings {
  std::uint16_t port = 0;           ///< PORT, 1 to 65535
  bool allow_all = true;            ///< ALLOW=all
  std::vector<Prefix> allow;        ///< ALLOW: sorted, unique; empty without allow_all: nobody
  std::string profile = "default";  ///< PROFILE: a file of profiles/, without ".json"
  bool legacy_clients = false;      ///< LEGACY_CLIENTS=yes: RSA host key, old key exchange
  unsigned max_sessions = 20;       ///< MAX_SESSIONS at once, 1 to 1000
  unsigned new_connections_per_minute = 60;  ///< NEW_CONNECTIONS_PER_MINUTE and source, 0: no limit
  std::chrono::seconds login_grace{60};      ///< LOGIN_GRACE_TIME: unauthenticated, 5 to 600
  unsigned max_processes = 200;              ///< MAX_PROCESSES, 10 to 100000
  unsigned max_open_files = 4096;            ///< MAX_OPEN_FILES a process, 64 to 1048576
  std::uint64_t memory_max = 1ULL << 30;     ///< MEMORY_MAX in bytes (K, M, G), 0: no limit
  unsigned cpu_weight = 100;                 ///< CPU_WEIGHT, 1 to 10000 (cgroup v2)
  unsigned io_weight = 100;                  ///< IO_WEIGHT, 1 to 10000 (cgroup v2)
  std::uint64_t tmp_size = 64ULL << 20;      ///< TMP_SIZE of /tmp in bytes (K, M, G)
  std::uint64_t run_size = 4ULL << 20;       ///< RUN_SIZE of /run in bytes (K, M, G)
  unsigned min_incs = 0;                     ///< MIN_INCS: never fewer than N newest complete incs
  std::chrono::days min_age{0};              ///< MIN_AGE in days: no inc younger than this goes
  bool inc_at_push_end = false;              ///< INC_AT_PUSH_END=yes

  bool operator==(const JailSettings&) const = default;
};

/// Parses jail.conf. Same rules and errors as parse_host_settings(); PORT must be there.
[[nodiscard]] Result<JailSettings> parse_jail_settings(std::string_view text,
                                                       std::string_view file);

/// The text with one key set to `value` (its line replaced in place, or appended), everything else,
/// comments included, kept byte for byte. The result is parsed before it is returned, so a bad
/// value is an error and changes nothing.
[[nodiscard]] Result<std::string> edit_jail_settings(std::string_view text, std::string_view file,
                                                     std::string_view key, std::string_view value);

/// The commented jail.conf of a new jail.
[[nodiscard]] std::string new_jail_settings(std::uint16_t port, bool legacy_clients);

/// `value` of ALLOW as it is written in jail.conf and printed by `evojail ip`: "all", or the
/// networks separated by blanks.
[[nodiscard]] std::string format_allow(const JailSettings& settings);

/// The jail's sources changed by `evojail ip`; an address that is not on the list cannot be
/// removed.
[[nodiscard]] Result<void> remove_allowed(JailSettings& settings, const Prefix& prefix);
void add_allowed(JailSettings& settings, const Prefix& prefix);

}  // namespace evojail
