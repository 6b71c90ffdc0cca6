#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "config/host_settings.hpp"

namespace evojail {

/// The latest session of a jail that has ended, in DATADIR/last-session/NAME: written by the
/// supervisor from its own counters, so that nothing in the jail can make a backup look fresh. It
/// is not waited for the disk: a supervisor that does accepts nobody meanwhile. After a power cut
/// the latest may be missing, when no session can have outlived it.
struct LastSession {
  std::string peer;            ///< address
  std::int64_t began = 0;      ///< seconds since the epoch
  std::int64_t ended = 0;      ///< seconds since the epoch
  std::uint64_t received = 0;  ///< bytes
  std::uint64_t sent = 0;      ///< bytes
  std::string command;         ///< the client's claim, escaped; may be empty
  std::string outcome;         ///< the client's claim: "exit 0"; may be empty
};

[[nodiscard]] Result<void> write_last_session(const HostSettings& host, const std::string& name,
                                              const LastSession& session);
/// nullopt: none since the jail was made, or none that a power cut has left readable.
[[nodiscard]] Result<std::optional<LastSession>> read_last_session(const HostSettings& host,
                                                                   const std::string& name);
/// Forgets it, with its jail.
void forget_last_session(const HostSettings& host, const std::string& name);

}  // namespace evojail
