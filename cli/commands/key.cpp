#include <fmt/format.h>

#include <memory>

#include "base/file.hpp"
#include "base/parse.hpp"
#include "cli/change_settings.hpp"
#include "cli/declare.hpp"
#include "cli/json/jails.hpp"
#include "cli/key_file.hpp"
#include "cli/message.hpp"
#include "cli/report.hpp"
#include "cli/select.hpp"
#include "cli/text.hpp"
#include "config/authorized_keys.hpp"
#include "config/layout.hpp"
#include "store/jails.hpp"

namespace evojail {
namespace {

struct KeyOptions {
  std::string name;
  std::optional<std::string> file;
  bool now = false;
  bool json = false;
};

Result<void> show_keys(const Invocation& invocation, const KeyOptions& options) {
  const HostSettings& host = invocation.host;
  CHECK(require_jail(host, options.name));
  const std::string path = JailPaths(host, options.name).authorized_keys;
  std::string text;
  if (path_exists(path)) {
    TRY(text, read_file(path));
  }
  if (!options.json) {
    fmt::print("{}", text);
    if (text.empty() && !invocation.quiet) {
      print_note(fmt::format(
          "jail '{0}' has no key: nobody can log in before 'evojail key {0} FILE'", options.name));
    }
    return {};
  }
  std::vector<std::string> keys;
  for (const auto line : split_lines(text)) {
    const auto key = trim(line);
    if (!key.empty() && !key.starts_with('#')) keys.emplace_back(key);
  }
  fmt::print("{}\n", keys_json(options.name, keys));
  return {};
}

Result<void> set_keys(const Invocation& invocation, const KeyOptions& options) {
  const HostSettings& host = invocation.host;
  CHECK(require_jail(host, options.name));
  TRY(const std::string text, read_key_file(*options.file));
  TRY(const std::size_t keys, check_authorized_keys(text, *options.file));
  CHECK(replace_keys(host, options.name, text));
  auto reloaded = reload_jail(service_of(invocation), options.name);
  if (!reloaded) {
    return std::unexpected(
        std::move(reloaded).error().in("the keys are set, the running jail has not taken them"));
  }
  const auto& outcome = *reloaded;
  std::uint64_t ended = outcome ? outcome->ended : 0;
  if (outcome && options.now) {
    TRY(const std::uint64_t more, end_sessions(invocation, options.name));
    ended += more;
  }
  if (options.json) return show_keys(invocation, options);
  if (invocation.quiet) return {};
  fmt::print("jail '{}' takes {} from now on", options.name, count_of(keys, "key"));
  if (!outcome) {
    fmt::print("; it is off\n");
  } else if (options.now) {
    fmt::print("; {} ended\n", count_of(ended, "session"));
  } else if (ended != 0) {
    fmt::print("; {} ended, port or address changed, the others go on\n",
               count_of(ended, "session"));
  } else {
    fmt::print("; sessions that are open go on\n");
  }
  return {};
}

Result<void> run_key(const Invocation& invocation, const KeyOptions& options) {
  if (options.file) return set_keys(invocation, options);
  if (options.now) {
    return std::unexpected(Error("--now goes with new keys")
                               .hint("evojail key NAME FILE --now; to end sessions and keep the "
                                     "keys: evojail restart NAME"));
  }
  return show_keys(invocation, options);
}

}  // namespace

Action declare_key(Arguments& arguments) {
  auto options = std::make_shared<KeyOptions>();
  arguments.word("NAME", options->name, "the jail");
  arguments.optional_word("FILE|-", options->file,
                          "public keys as in authorized_keys(5), or - for stdin; without it the "
                          "keys in force are shown");
  arguments.flag("--now", options->now, "end all sessions, of old keys and of new");
  arguments.flag("--json", options->json, "for machines");
  arguments.example("key web1", "Which keys open the jail.");
  arguments.example("key web1 id_ed25519.pub", "This one, in place of those before.");
  arguments.example("key web1 new.pub --now", "And whoever is in with the old one is out.");
  return [options](const Invocation& invocation) { return report(run_key(invocation, *options)); };
}

}  // namespace evojail
