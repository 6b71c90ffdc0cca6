#include "cli/parse_arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>

#include "base/printable.hpp"

namespace evojail {
namespace {

using Entry = Arguments::Entry;

/// The name to show of "-f,--force": the last one.
std::string_view shown_name(const Entry& entry) {
  const auto comma = entry.name.rfind(',');
  return comma == std::string_view::npos ? entry.name : entry.name.substr(comma + 1);
}

std::unexpected<Error> usage_error(std::string_view command, const Arguments& arguments,
                                   const std::string& message) {
  return std::unexpected(Error(fmt::format("{}: {}", command, message))
                             .hint(fmt::format("usage: evojail {}; more: evojail {} --help",
                                               usage_line(command, arguments), command)));
}

/// CLI11's own texts name the option in front of a colon.
std::string mismatch_message(const CLI::ArgumentMismatch& error) {
  const std::string_view text = error.what();
  const std::string_view name = text.substr(0, text.find(':'));
  return text.ends_with(" missing") ? fmt::format("{} needs a value", name)
                                    : fmt::format("{} is given more than once", name);
}

void declare_options(CLI::App& app, const Arguments& arguments) {
  app.set_help_flag();
  app.allow_extras();  // words are dealt out below: CLI11 would split one in brackets at its commas
  for (const Entry& entry : arguments.entries()) {
    if (!entry.is_option()) continue;
    const std::string names(entry.name);
    if (auto* const* flag = std::get_if<bool*>(&entry.target)) {
      app.add_flag(names, **flag);
    } else if (auto* const* value = std::get_if<std::optional<std::string>*>(&entry.target)) {
      app.add_option(names, **value);
    }
  }
}

/// Of an option: its help says so, and the command sees to it.
bool must_be_given(const Entry& entry) { return entry.help.ends_with("must be given"); }

}  // namespace

std::string usage_line(std::string_view command, const Arguments& arguments) {
  std::string line(command);
  for (const Entry& entry : arguments.entries()) {
    if (entry.is_option()) {
      const std::string value =
          entry.value_name.empty() ? "" : fmt::format(" {}", entry.value_name);
      line += must_be_given(entry) ? fmt::format(" {}{}", shown_name(entry), value)
                                   : fmt::format(" [{}{}]", shown_name(entry), value);
    } else if (std::holds_alternative<std::string*>(entry.target)) {
      line += fmt::format(" {}", entry.name);
    } else if (std::holds_alternative<std::vector<std::string>*>(entry.target)) {
      line += fmt::format(" [{}...]", entry.name);
    } else {
      line += fmt::format(" [{}]", entry.name);
    }
  }
  return line;
}

Result<void> parse_arguments(std::string_view command, const Arguments& arguments,
                             const std::vector<std::string>& words) {
  std::deque<std::string> rest;
  try {
    CLI::App app;
    declare_options(app, arguments);
    app.parse(
        std::vector<std::string>(words.rbegin(), words.rend()));  // CLI11 wants them in reverse
    const auto remaining = app.remaining();
    rest.assign(remaining.begin(), remaining.end());
  } catch (const CLI::ArgumentMismatch& error) {
    return usage_error(command, arguments, mismatch_message(error));
  } catch (const CLI::Error& error) {
    return usage_error(command, arguments, error.what());
  }

  const auto end_of_options = std::ranges::find(rest, "--");
  for (auto word = rest.begin(); word != end_of_options; ++word) {
    if (word->size() > 1 && word->starts_with('-')) {
      return usage_error(command, arguments,
                         fmt::format("there is no option '{}'", printable(*word)));
    }
  }
  if (end_of_options != rest.end()) rest.erase(end_of_options);

  for (const Entry& entry : arguments.entries()) {
    if (entry.is_option()) continue;
    if (auto* const* all = std::get_if<std::vector<std::string>*>(&entry.target)) {
      (*all)->assign(rest.begin(), rest.end());
      rest.clear();
    } else if (auto* const* one = std::get_if<std::string*>(&entry.target)) {
      if (rest.empty()) {
        return usage_error(command, arguments, fmt::format("{} is missing", entry.name));
      }
      **one = std::move(rest.front());
      rest.pop_front();
    } else if (auto* const* maybe = std::get_if<std::optional<std::string>*>(&entry.target)) {
      if (rest.empty()) continue;
      **maybe = std::move(rest.front());
      rest.pop_front();
    }
  }
  if (!rest.empty()) {
    return usage_error(command, arguments,
                       fmt::format("'{}' is one word too many", printable(rest.front())));
  }
  return {};
}

}  // namespace evojail
