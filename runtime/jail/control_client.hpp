#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/layout.hpp"
#include "jail/control.hpp"

namespace evojail {

// A supervisor that is there and does not answer (stopped, stuck) is an error of
// ErrorKind::no_answer after some time.

/// Told once, after some seconds of silence, before the rest of the wait: an error that says for
/// whom.
using SilenceNote = std::function<void(const Error&)>;

/// Whether a supervisor listens, one that is stuck included. Nothing is asked of it.
[[nodiscard]] Result<bool> has_supervisor(const JailPaths& paths);

/// The supervisor's own account; nullopt when the jail is off.
[[nodiscard]] Result<std::optional<SupervisorStatus>> ask_status(const JailPaths& paths);

struct ReloadOutcome {
  std::uint64_t ended = 0;  ///< sessions, whose port or address the settings no longer have
  std::vector<std::string> pending;  ///< settings that have changed and wait for a restart
};

/// Settings and keys anew, for the connections to come; sessions whose address is no longer allowed
/// end, and those on another port. nullopt when the jail is off.
[[nodiscard]] Result<std::optional<ReloadOutcome>> ask_reload(const JailPaths& paths,
                                                              const SilenceNote& silent = {});

/// Stops the jail and waits until nothing of it is left. @return how many sessions that ended;
/// nullopt when it was off.
[[nodiscard]] Result<std::optional<std::uint64_t>> ask_stop(const JailPaths& paths,
                                                            const SilenceNote& silent = {});

/// Ends all sessions of a running jail. @return how many; nullopt when it is off.
[[nodiscard]] Result<std::optional<std::uint64_t>> ask_end_sessions(const JailPaths& paths,
                                                                    const SilenceNote& silent = {});

}  // namespace evojail
