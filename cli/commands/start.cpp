#include <fmt/format.h>

#include <memory>

#include "cli/bulk.hpp"
#include "cli/declare.hpp"
#include "cli/progress.hpp"
#include "cli/report.hpp"
#include "cli/select.hpp"
#include "cli/stopped_text.hpp"
#include "cli/text.hpp"

namespace evojail {
namespace {

/// One jail of a run over several; what it prints, if anything.
using ForOne = Result<std::string> (*)(const ServiceHost&, const std::string& name);

Result<std::string> start_one(const ServiceHost& service, const std::string& name) {
  TRY(const StartOutcome outcome, start_jail(service, name));
  return std::string(outcome == StartOutcome::started ? "started" : "runs already");
}

Result<std::string> stop_one(const ServiceHost& service, const std::string& name) {
  TRY(const auto stopped, stop_jail(service, name));
  if (!stopped) return "off already";
  return "stopped, " + describe(*stopped);
}

Result<std::string> restart_one(const ServiceHost& service, const std::string& name) {
  TRY(const auto stopped, restart_jail(service, name));
  if (!stopped) return "started; it was off";
  return "restarted, " + describe(*stopped);
}

Result<std::string> reload_one(const ServiceHost& service, const std::string& name) {
  TRY(const auto outcome, reload_jail(service, name));
  if (!outcome) return "off: there is nothing to reload";
  std::string text = "reloaded";
  if (outcome->ended != 0) {
    text += fmt::format(", {} ended: port or address changed", count_of(outcome->ended, "session"));
  }
  if (!outcome->pending.empty()) {
    text += fmt::format("; with the next restart: {}", join(outcome->pending, ", "));
  }
  return text;
}

Action for_jails(Arguments& arguments, std::string_view verb, ForOne for_one) {
  auto word = std::make_shared<std::string>();
  arguments.word("NAME|all", *word, "a jail, or all of them");
  return [word, verb, for_one](const Invocation& invocation) {
    const auto names = select_jails(invocation.host, *word);
    if (!names) return report(names.error());
    const ServiceHost service = service_of(invocation);
    Progress progress(verb, invocation.quiet);
    std::size_t done = 0;
    return for_each_jail(*names, [&](const std::string& name) -> Result<void> {
      progress.update({.what = name, .done = done++, .total = names->size()});
      TRY(const std::string outcome, for_one(service, name));
      progress.clear();
      if (!invocation.quiet) fmt::print("{}: {}\n", name, outcome);
      return {};
    });
  };
}

}  // namespace

Action declare_start(Arguments& arguments) {
  arguments.example("start web1", "Ready when the command returns: the port answers.");
  arguments.example("start all", "Every jail is tried; failures are listed at the end.");
  arguments.note(
      "Where systemd is PID 1 and knows evojail@.service, the jail becomes a unit. Elsewhere, and "
      "with --config, its supervisor runs by itself and logs to LOGDIR/NAME.log.");
  return for_jails(arguments, "starting jails", start_one);
}

Action declare_stop(Arguments& arguments) {
  arguments.example("stop web1", "Nothing of the jail is left when the command returns.");
  return for_jails(arguments, "stopping jails", stop_one);
}

Action declare_restart(Arguments& arguments) {
  arguments.note("A jail that is off is started, too.");
  arguments.example("restart all", "After 'evojail update': onto the new base image.");
  return for_jails(arguments, "restarting jails", restart_one);
}

Action declare_reload(Arguments& arguments) {
  arguments.example("reload web1", "After a change of jail.conf, or an upgrade of evojail.");
  return for_jails(arguments, "reloading jails", reload_one);
}

}  // namespace evojail
