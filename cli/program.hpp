#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace evojail {

/// The words of a command line, dealt out to the program and its command.
struct CommandLine {
  bool help = false;
  bool version = false;
  bool quiet = false;
  std::string config;                  ///< empty: the default
  std::string command;                 ///< empty: none was given
  std::vector<std::string> arguments;  ///< of the command
};

/// Takes the program's own options out, wherever they stand; other options in front of the command
/// are the command's (bkctld wants its --force there).
[[nodiscard]] Result<CommandLine> split_command_line(const std::vector<std::string>& words);

/// The whole program. @return its exit code.
[[nodiscard]] int run_program(const std::vector<std::string>& words);

}  // namespace evojail
