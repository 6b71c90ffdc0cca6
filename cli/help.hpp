#pragma once

#include <string>

#include "cli/command.hpp"

namespace evojail {

/// `evojail --help`: first steps, then all commands by group.
[[nodiscard]] std::string general_help();

/// `evojail COMMAND --help`.
[[nodiscard]] std::string command_help(const Command& command, const Arguments& arguments);

}  // namespace evojail
