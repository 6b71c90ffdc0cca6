#include <fmt/format.h>

#include <memory>

#include "cli/bulk.hpp"
#include "cli/declare.hpp"
#include "cli/json/jails.hpp"
#include "cli/report.hpp"
#include "cli/run_log.hpp"
#include "cli/select.hpp"
#include "config/jail_settings.hpp"
#include "jail/jail_rules.hpp"
#include "monitor/firewall_keeper.hpp"
#include "monitor/wanted_firewall.hpp"
#include "store/jails.hpp"

namespace evojail {
namespace {

struct FirewallOptions {
  std::optional<std::string> name;
  bool watch = false;
  bool json = false;
};

int apply_rules(const Invocation& invocation, const std::string& word, bool json) {
  const auto names = select_jails(invocation.host, word);
  if (!names) return report(names.error());
  if (word == "all") {
    // What stands in its way is said of the jail that it concerns, below.
    [[maybe_unused]] const auto renewed = renew_firewall(invocation.host);
  }
  std::vector<OpenPort> open;
  const int code = for_each_jail(*names, [&](const std::string& name) -> Result<void> {
    TRY(const FirewallJail jail, wanted_firewall(invocation.host, name));
    CHECK(apply_firewall(invocation.host, jail));
    TRY(JailSettings settings, load_jail(invocation.host, name));
    if (!json && !invocation.quiet) {
      fmt::print("{}: port {} open to: {}\n", name, settings.port, format_allow(settings));
    }
    open.push_back({name, std::move(settings)});
    return {};
  });
  if (json) fmt::print("{}\n", firewall_json(open));
  return code;
}

int run_firewall(const Invocation& invocation, const FirewallOptions& options) {
  if (options.watch && (options.name || options.json)) {
    return report(Error("--watch is for all jails, and stays").hint("evojail firewall --watch"));
  }
  if (options.watch) return report(keep_firewall(invocation.host, make_run_log("firewall")));
  if (options.name) return apply_rules(invocation, *options.name, options.json);
  return report(Error("firewall: NAME or --watch is missing")
                    .hint("usage: evojail firewall NAME|all, evojail firewall --watch"));
}

}  // namespace

Action declare_firewall(Arguments& arguments) {
  auto options = std::make_shared<FirewallOptions>();
  arguments.optional_word("NAME|all", options->name,
                          "puts the rules of this jail in place, or all");
  arguments.flag("--watch", options->watch,
                 "stay, and put rules back that somebody took away; one for the whole host");
  arguments.flag("--json", options->json, "for machines");
  arguments.example("firewall all", "After somebody's 'nft flush ruleset'.");
  arguments.note(
      "Rules follow the settings, whether a jail runs or not: an idle port is as closed as a busy "
      "one. They lie in the table 'inet evojail' (FIREWALL_TABLE).");
  return [options](const Invocation& invocation) { return run_firewall(invocation, *options); };
}

}  // namespace evojail
