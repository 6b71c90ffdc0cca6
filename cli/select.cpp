#include "cli/select.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/printable.hpp"
#include "cli/command.hpp"
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
  return fail(fmt::format("jail '{}' exists already", name));
}

Result<std::vector<std::string>> select_jails(const HostSettings& host, const std::string& word) {
  if (word == "all") return list_jails(host);
  CHECK(require_jail(host, word));
  return std::vector<std::string>{word};
}

Result<std::vector<std::string>> select_jails(const HostSettings& host,
                                              const std::vector<std::string>& words) {
  if (words.empty() || std::ranges::find(words, "all") != words.end()) return list_jails(host);
  std::vector<std::string> names;
  for (const std::string& word : words) {
    TRY(std::string name, parse_jail_name(word));
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  }
  return names;
}

Result<IncName> parse_inc_word(const std::string& word) {
  const auto slash = word.find('/');
  if (slash == std::string::npos) {
    return std::unexpected(
        Error(fmt::format("'{}' names no inc", printable(word)))
            .hint("write JAIL/INC, such as web1/2026-03-22-11; 'evojail list-incs' shows them"));
  }
  TRY(std::string jail, parse_jail_name(word.substr(0, slash)));
  std::string inc = word.substr(slash + 1);
  if (inc.empty() || inc == "." || inc == ".." || inc.contains('/') || inc.contains('\0')) {
    return fail(fmt::format("'{}' is no name of an inc", printable(inc)));
  }
  return IncName{std::move(jail), std::move(inc)};
}

ServiceHost service_of(const Invocation& invocation) {
  return {invocation.host, invocation.settings_file};
}

}  // namespace evojail
