#include "cli/program.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <optional>

#include "base/printable.hpp"
#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/help.hpp"
#include "cli/message.hpp"
#include "cli/parse_arguments.hpp"
#include "cli/version.hpp"
#include "jail/next_program.hpp"

namespace evojail {
namespace {

/// What the jail's supervisor, which has another working directory, can open as well.
Result<std::string> absolute_path(const std::string& path) {
  if (path.starts_with('/')) return path;
  std::array<char, PATH_MAX> directory{};
  if (::getcwd(directory.data(), directory.size()) == nullptr) {
    return fail_errno("finding", "the working directory");
  }
  return fmt::format("{}/{}", directory.data(), path);
}

Result<Invocation> prepare(const Command& command, const CommandLine& line) {
  Invocation invocation;
  invocation.quiet = line.quiet;
  if (command.needs == CommandNeeds::nothing) return invocation;
  if (command.needs == CommandNeeds::root && ::geteuid() != 0) {
    return std::unexpected(
        Error(fmt::format("'evojail {}' needs root", command.name)).hint(run_as_root));
  }
  const bool given = !line.config.empty();
  if (given) {
    TRY(invocation.settings_file, absolute_path(line.config));
  }
  auto host = host_in_force(
      load_host_settings(given ? invocation.settings_file : default_host_settings, given));
  if (!host && host.error().code() == ENOENT) {
    return std::unexpected(
        std::move(host).error().hint("--config names the file of host settings"));
  }
  if (!host && host.error().code() == EACCES && ::geteuid() != 0) {
    return std::unexpected(std::move(host).error().hint(run_as_root));
  }
  TRY(invocation.host, std::move(host));
  // Named explicitly or not, the default file is what systemd's units know.
  if (invocation.settings_file == default_host_settings) invocation.settings_file.clear();
  return invocation;
}

std::unexpected<Error> no_such_command(const CommandLine& line) {
  Error error(fmt::format("there is no command '{}'", printable(line.command)));
  const auto command = std::ranges::find_if(
      line.arguments, [](const std::string& word) { return find_command(word) != nullptr; });
  return std::unexpected(
      command == line.arguments.end()
          ? std::move(error).hint("'evojail --help' shows all commands")
          : std::move(error).hint(fmt::format("the command comes first: evojail {} {}", *command,
                                              printable(line.command))));
}

std::unexpected<Error> no_config_value() {
  return std::unexpected(
      Error("--config needs a value").hint("it names the file of the host settings"));
}

/// The command, ready to be carried out. The parser is gone by then: `run` stays for the life of
/// its jail.
Result<std::optional<Action>> read_command(const Command& command, const CommandLine& line) {
  Arguments arguments;
  Action action = command.declare(arguments);
  if (line.help) {
    fmt::print("{}", command_help(command, arguments));
    return std::nullopt;
  }
  CHECK(parse_arguments(command.name, arguments, line.arguments));
  return action;
}

Result<int> run_line(const CommandLine& line) {
  if (line.version) {
    fmt::print("evojail {}\n", version());
    return exit_code::done;
  }
  if (line.command.empty()) {
    if (line.help) {
      fmt::print("{}", general_help());
      return exit_code::done;
    }
    return std::unexpected(Error("a command is missing").hint("'evojail --help' shows them all"));
  }
  const Command* command = find_command(line.command);
  if (command == nullptr) return no_such_command(line);
  TRY(const auto action, read_command(*command, line));
  if (!action) return exit_code::done;
  TRY(const auto invocation, prepare(*command, line));
  return (*action)(invocation);
}

}  // namespace

Result<CommandLine> split_command_line(const std::vector<std::string>& words) {
  CommandLine line;
  bool options_ended = false;
  for (auto word = words.begin(); word != words.end(); ++word) {
    if (options_ended) {
      line.arguments.push_back(*word);
      continue;
    }
    if (*word == "--") {
      options_ended = true;
      if (!line.command.empty()) line.arguments.push_back(*word);
    } else if (*word == "-h" || *word == "--help") {
      line.help = true;
    } else if (*word == "-V" || *word == "--version") {
      line.version = true;
    } else if (*word == "-q" || *word == "--quiet") {
      line.quiet = true;
    } else if (*word == "--config") {
      ++word;
      if (word == words.end() || word->empty()) {
        return no_config_value();
      }
      line.config = *word;
    } else if (word->starts_with("--config=")) {
      line.config = word->substr(word->find('=') + 1);
      if (line.config.empty()) return no_config_value();
    } else if (line.command.empty() && !word->starts_with('-')) {
      line.command = *word;
    } else {
      line.arguments.push_back(*word);
    }
  }
  return line;
}

int run_program(const std::vector<std::string>& words) {
  auto line = split_command_line(words);
  Result<int> code = line ? run_line(*line) : std::unexpected(std::move(line).error());
  if (!code) {
    print_error(code.error());
    code = exit_code_of(code.error());
  }
  // A full disk behind stdout must not pass for success.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    print_error(Error::system("writing", "stdout", errno));
    if (*code == exit_code::done) code = exit_code::failed;
  }
  return *code;
}

}  // namespace evojail
