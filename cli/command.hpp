#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "cli/arguments.hpp"
#include "config/host_settings.hpp"

namespace evojail {

/// What a command works with.
struct Invocation {
  HostSettings host;
  /// The host settings' file, absolute; empty where the default one was not overridden.
  std::string settings_file;
  bool quiet = false;  ///< no progress, no summaries; errors, warnings and asked-for data stay
};

/// Carries a command out. @return the exit code; what went wrong has been printed.
using Action = std::function<int(const Invocation&)>;

/// Under which heading `evojail --help` shows a command.
enum class CommandGroup : std::uint8_t { jails, access, running, incs, host };

/// What must hold before a command runs.
enum class CommandNeeds : std::uint8_t {
  nothing,   ///< host settings are not read
  settings,  ///< host settings are read
  root,      ///< and the user is root
};

struct Command {
  std::string_view name;
  CommandGroup group;
  CommandNeeds needs;
  std::string_view summary;  ///< half a line, behind the name in `evojail --help`
  /// Declares what the command takes and returns what it does with it. Called for the one command
  /// that was asked for.
  Action (*declare)(Arguments& arguments);
};

/// All commands, in the order that help shows them.
[[nodiscard]] std::span<const Command> all_commands();

/// The command of that name; nullptr: none.
[[nodiscard]] const Command* find_command(std::string_view name);

}  // namespace evojail
