#include <fmt/format.h>

#include <memory>

#include "cli/change_settings.hpp"
#include "cli/declare.hpp"
#include "cli/json/jails.hpp"
#include "cli/report.hpp"
#include "config/address.hpp"
#include "store/jails.hpp"

namespace evojail {
namespace {

struct IpOptions {
  std::string name;
  std::optional<std::string> address;
  std::optional<std::string> remove;
  bool json = false;
};

Result<void> show_addresses(const HostSettings& host, const IpOptions& options) {
  TRY(const JailSettings settings, load_jail(host, options.name));
  if (options.json) {
    fmt::print("{}\n", allow_json(options.name, settings));
  } else {
    fmt::print("{}\n", format_allow(settings));
  }
  return {};
}

/// all and none are no entries of the list, but stand in its place.
Result<void> check_removable(const IpOptions& options) {
  const bool all = *options.remove == "all";
  if (!all && *options.remove != "none") return {};
  return std::unexpected(
      Error(fmt::format("'{}' is no address that could be taken off the list", *options.remove))
          .hint(all ? fmt::format("'evojail ip {0} none' lets nobody connect, 'evojail ip {0} "
                                  "ADDRESS' only that one",
                                  options.name)
                    : fmt::format("'evojail ip {} all' lets everybody connect", options.name)));
}

/// The list as `options` wants it to be.
Result<SettingsEdit> edit_addresses(JailSettings settings, const IpOptions& options) {
  if (options.remove) {
    CHECK(check_removable(options));
    TRY(const Prefix prefix, parse_prefix(*options.remove));
    CHECK(remove_allowed(settings, prefix));
  } else if (*options.address == "all" || *options.address == "none") {
    settings.allow_all = *options.address == "all";
    settings.allow.clear();
  } else {
    TRY(const Prefix prefix, parse_prefix(*options.address));
    add_allowed(settings, prefix);
  }
  return SettingsEdit{"ALLOW", format_allow(settings)};
}

Result<void> change_addresses(const Invocation& invocation, const IpOptions& options) {
  TRY(const SettingsChange change,
      change_settings(invocation, options.name, [&options](const JailSettings& settings) {
        return edit_addresses(settings, options);
      }));
  if (options.json) return show_addresses(invocation.host, options);
  if (invocation.quiet) return {};
  TRY(const JailSettings settings, load_jail(invocation.host, options.name));
  fmt::print("jail '{}' is open to: {}; {}\n", options.name, format_allow(settings),
             describe(change));
  return {};
}

Result<void> run_ip(const Invocation& invocation, const IpOptions& options) {
  if (options.address && options.remove) {
    return std::unexpected(
        Error("one address to add and another to remove").hint("give them in two commands"));
  }
  if (options.address || options.remove) return change_addresses(invocation, options);
  return show_addresses(invocation.host, options);
}

}  // namespace

Action declare_ip(Arguments& arguments) {
  auto options = std::make_shared<IpOptions>();
  arguments.word("NAME", options->name, "the jail");
  arguments.optional_word("ADDRESS[/LENGTH]|all|none", options->address,
                          "an IPv4 or IPv6 address or network that may connect from now on; all "
                          "or none in place of the list; without it the list is printed");
  arguments.option("--remove", "ADDRESS[/LENGTH]", options->remove,
                   "takes it off the list; its sessions end at once, no others");
  arguments.flag("--json", options->json, "for machines");
  arguments.example("ip web1", "Who may connect.");
  arguments.example("ip web1 192.0.2.7", "This address; the first one ends 'all'.");
  arguments.example("ip web1 2001:db8:1::/48", "A network beside it.");
  arguments.example("ip web1 --remove 192.0.2.7", "Not this one any more.");
  return [options](const Invocation& invocation) { return report(run_ip(invocation, *options)); };
}

}  // namespace evojail
