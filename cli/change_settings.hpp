#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "config/jail_settings.hpp"

namespace evojail {

/// What became of a change.
struct SettingsChange {
  bool changed = false;  ///< false: the settings said so already
  bool running = false;  ///< the jail runs, and has taken the change
  std::uint64_t ended_sessions = 0;
};

/// One key of jail.conf and the value to write, worked out from the settings as they are.
struct SettingsEdit {
  std::string key;
  std::string value;
};
using SettingsEditor = std::function<Result<SettingsEdit>(const JailSettings&)>;

/// Edits a jail's settings: file, then firewall, then the running jail. Where the firewall refuses,
/// the file is as it was. Two edits at once follow one another.
[[nodiscard]] Result<SettingsChange> change_settings(const Invocation& invocation,
                                                     const std::string& name,
                                                     const SettingsEditor& editor);

/// Ends all sessions of a jail. @return how many; of one that is off, none.
[[nodiscard]] Result<std::uint64_t> end_sessions(const Invocation& invocation,
                                                 const std::string& name);

/// "taken up by the running jail, 2 sessions ended" and the like, for people.
[[nodiscard]] std::string describe(const SettingsChange& change);

}  // namespace evojail
