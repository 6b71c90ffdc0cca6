#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/host_settings.hpp"

namespace evojail {

/// A hold binds `rm` and `remove`: the inc stays until it is released or the date has passed. It is
/// bound to the inc's identity on its volume, never to its name.
struct Hold {
  std::string identity;               ///< Engine::identify() of the inc
  std::string inc;                    ///< its name when it was held, for people
  std::string reason;                 ///< one line, not empty
  std::int64_t made = 0;              ///< seconds since the epoch
  std::optional<std::int64_t> until;  ///< the first second in which it no longer binds

  bool operator==(const Hold&) const = default;
};

/// Whether it still binds at `now`, seconds since the epoch.
[[nodiscard]] bool binds(const Hold& hold, std::int64_t now);

/// The text of a holds file and back.
[[nodiscard]] std::string format_holds(const std::vector<Hold>& holds);
[[nodiscard]] Result<std::vector<Hold>> parse_holds(const std::string& text,
                                                    const std::string& file);

/// The holds of a jail's incs that still bind now.
[[nodiscard]] Result<std::vector<Hold>> list_holds(const HostSettings& host,
                                                   const std::string& name);

/// Told once, before a change of holds waits for the inc, rm or other operation that is at work on
/// the jail: an error that says which. Refused, the hold would come too late or never.
using HoldWait = std::function<void(const Error&)>;

/// Holds one inc. One that is held already keeps its reason beside this one, and of both ends the
/// later.
/// @return the hold as it is in force now.
[[nodiscard]] Result<Hold> hold_inc(const HostSettings& host, const std::string& name,
                                    const std::string& inc, const std::string& reason,
                                    std::optional<std::int64_t> until = {},
                                    const HoldWait& waits = {});

/// Holds every inc of the jail (`freeze`) as hold_inc() does; a jail without incs has none to hold,
/// and that is no error.
/// @return how many are held now.
[[nodiscard]] Result<std::size_t> hold_all_incs(const HostSettings& host, const std::string& name,
                                                const std::string& reason,
                                                std::optional<std::int64_t> until = {},
                                                const HoldWait& waits = {});

/// Lets one inc go again; not being held is an error.
[[nodiscard]] Result<void> release_inc(const HostSettings& host, const std::string& name,
                                       const std::string& inc, const HoldWait& waits = {});

/// bkctld's inc-lock and inc-unlock: the read-only property of a btrfs inc.
/// @return false where incs are plain directories and there is nothing to do.
[[nodiscard]] Result<bool> lock_inc(const HostSettings& host, const std::string& name,
                                    const std::string& inc);
[[nodiscard]] Result<bool> unlock_inc(const HostSettings& host, const std::string& name,
                                      const std::string& inc);

}  // namespace evojail
