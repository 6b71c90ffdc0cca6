#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/parse.hpp"
#include "cli/parse_arguments.hpp"

namespace evojail {
namespace {

constexpr std::size_t kWidth = 80;

constexpr std::array<std::pair<CommandGroup, std::string_view>, 5> kGroups = {{
    {CommandGroup::jails, "Jails"},
    {CommandGroup::access, "Who may connect, and where"},
    {CommandGroup::running, "Running"},
    {CommandGroup::incs, "Incs, the dated copies"},
    {CommandGroup::host, "This host"},
}};

/// `text` in lines of at most `kWidth` columns, the ones behind the first indented.
std::string wrap(std::string_view text, std::size_t indent, std::size_t column) {
  std::string wrapped;
  for (const std::string_view word : split_words(text)) {
    if (column > indent && column + 1 + word.size() > kWidth) {
      wrapped += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      wrapped += ' ';
      ++column;
    }
    wrapped += word;
    column += word.size();
  }
  return wrapped + '\n';
}

std::string described(std::string_view name, std::string_view help, std::size_t indent) {
  std::string text = fmt::format("  {}", name);
  if (text.size() + 2 > indent) {
    text += '\n' + std::string(indent, ' ');
  } else {
    text.resize(indent, ' ');
  }
  return text + wrap(help, indent, indent);
}

std::string entry_name(const Arguments::Entry& entry) {
  std::string name;
  for (const char c : entry.name) name += c == ',' ? std::string(", ") : std::string(1, c);
  return entry.value_name.empty() ? name : fmt::format("{} {}", name, entry.value_name);
}

}  // namespace

std::string general_help() {
  std::string text = R"(usage: evojail [--config FILE] [--quiet] COMMAND ...

evojail keeps the receiving side of a backup service: a jail for each client,
which pushes into it with rsync or SFTP, and dated copies (incs) that no client
can touch.

First steps, as root:
  evojail check-setup               what this host lacks, and the cure
  evojail init web1                 a jail, with a port of its own
  evojail key web1 id_ed25519.pub   the client's public key
  evojail start web1                it can push to root@HOST:/data/
  evojail inc; evojail rm --if-fresh
                                    daily: copy each jail, thin what is old
)";
  for (const auto& [group, heading] : kGroups) {
    text += fmt::format("\n{}:\n", heading);
    for (const Command& command : all_commands()) {
      if (command.group == group) text += described(command.name, command.summary, 16);
    }
  }
  text += R"(
Options:
  --config FILE   the host settings (default /etc/default/evojail)
  -q, --quiet     no progress and no summaries, for cron
  -h, --help      this; 'evojail COMMAND --help' for one command
  -V, --version   the version

Exit codes: 0 done, 1 failed, 2 no such jail, 3 a jail that bkctld laid out,
100 is-on: off, 101 you said no. Manual: evojail(8).
)";
  return text;
}

std::string command_help(const Command& command, const Arguments& arguments) {
  std::string text = fmt::format("usage: evojail {}\n\n{}\n", usage_line(command.name, arguments),
                                 wrap(fmt::format("{}.", command.summary), 0, 0));
  if (text.ends_with("\n\n")) text.pop_back();
  for (const std::string_view note : arguments.notes()) text += '\n' + wrap(note, 0, 0);
  const bool any_options = std::ranges::any_of(
      arguments.entries(), [](const Arguments::Entry& entry) { return entry.is_option(); });
  if (!std::ranges::all_of(arguments.entries(), &Arguments::Entry::is_option)) text += '\n';
  for (const auto& entry : arguments.entries()) {
    if (!entry.is_option()) text += described(entry.name, entry.help, 24);
  }
  if (any_options) text += "\nOptions:\n";
  for (const auto& entry : arguments.entries()) {
    if (entry.is_option()) text += described(entry_name(entry), entry.help, 24);
  }
  if (!arguments.examples().empty()) text += "\nExamples:\n";
  for (const auto& example : arguments.examples()) {
    text += fmt::format("  evojail {}\n      {}", example.line, wrap(example.what, 6, 6));
  }
  return text;
}

}  // namespace evojail
