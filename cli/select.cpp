#include "cli/select.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/printable.hpp"
#include "cli/command.hpp"
#include "cli/message.hpp"
#include "config/jail_name.hpp"
#include "config/layout.hpp"
#include "store/jails.hpp"

namespace evojail {

Result<void> require_jail(const HostSettings& host, const std::string& name) {
  CHECK(load_jail_text(host, name));
  return {};
}

Result<void> require_inc_owner(const HostSettings& host, const std::string& name) {
  CHECK(parse_jail_name(name));
  if (path_exists(JailPaths(host, name).incs_dir)) return {};
  return require_jail(host, name);
}

Result<void> require_new_name(const HostSettings& host, const std::string& name) {
  CHECK(parse_jail_name(name));
  if (!path_exists(JailPaths(host, name).conf)) return {};
  return std::unexpected(Error(fmt::format("jail '{}' exists already", name))
                             .hint("'evojail list' shows the names that are taken"));
}

Result<bool> stand_for_all(const std::vector<std::string>& words) {
  const auto name = std::ranges::find_if(words, [](const auto& word) { return word != "all"; });
  if (name == words.end()) return true;
  if (std::ranges::find(words, "all") == words.end()) return false;
  return std::unexpected(
      Error(fmt::format("'all' is every jail, and '{}' is named beside it", printable(*name)))
          .hint("give either 'all' or the names of jails"));
}

Result<std::vector<std::string>> select_jails(const HostSettings& host, const std::string& word) {
  if (word == "all") return list_jails(host);
  CHECK(require_jail(host, word));
  return std::vector<std::string>{word};
}

Result<std::vector<std::string>> select_jails(const HostSettings& host,
                                              const std::vector<std::string>& words) {
  TRY(const bool all, stand_for_all(words));
  if (all) return list_jails(host);
  std::vector<std::string> names;
  for (const std::string& word : words) {
    TRY(std::string name, parse_jail_name(word));
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

Result<IncName> parse_inc_word(const std::string& word) {
  const auto slash = word.find('/');
  TRY(std::string jail, parse_jail_name(word.substr(0, slash)));
  const auto refuse = [&jail](std::string message) {
    return std::unexpected(Error(std::move(message))
                               .hint(fmt::format("write NAME/INC, as in {0}/2026-03-22-11; "
                                                 "'evojail list-incs {0}' shows them",
                                                 jail)));
  };
  std::string inc = slash == std::string::npos ? "" : word.substr(slash + 1);
  if (inc.empty()) return refuse(fmt::format("'{}' names no inc", printable(word)));
  // What begins with a dot is evojail's own: records and manifests.
  if (inc.starts_with('.') || inc.contains('/') || inc.contains('\0')) {
    return refuse(fmt::format("'{}' cannot be the name of an inc", printable(inc)));
  }
  return IncName{std::move(jail), std::move(inc)};
}

std::optional<IncName> find_inc_word(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (auto inc = parse_inc_word(word)) return *std::move(inc);
  }
  return std::nullopt;
}

SilenceNote note_of_silence(const Invocation& invocation) {
  if (invocation.quiet) return {};
  return [](const Error& silence) { print_note("waiting: " + silence.message()); };
}

ServiceHost service_of(const Invocation& invocation) {
  return {invocation.host, invocation.settings_file, note_of_silence(invocation)};
}

}  // namespace evojail
