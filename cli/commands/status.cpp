#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "cli/bulk.hpp"
#include "cli/declare.hpp"
#include "cli/json/jails.hpp"
#include "cli/message.hpp"
#include "cli/report.hpp"
#include "cli/select.hpp"
#include "cli/status_text.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"
#include "store/host_check.hpp"

namespace evojail {
namespace {

struct StatusOptions {
  std::optional<std::string> name;
  bool no_header = false;
  bool json = false;
};

/// All jails' trouble, so said once, whatever was asked for.
void warn_of_full_volume(const HostSettings& host) {
  const auto space = free_space(host);
  if (!space || !space->low()) return;
  print_warning(fmt::format("{}: writing sessions end", describe(*space)));
}

/// Likewise: where one jail's directory is missing, mostly all of them are.
void warn_of_missing_data(const std::vector<JailStatus>& jails) {
  const auto without = std::ranges::count(jails, false, &JailStatus::has_data);
  if (without == 0) return;
  print_warning(fmt::format("{} without data in JAILDIR: is the volume mounted?",
                            count_of(static_cast<std::uint64_t>(without), "jail")));
}

int run_status(const Invocation& invocation, const StatusOptions& options) {
  const bool all = !options.name || *options.name == "all";
  const auto names = select_jails(invocation.host, all ? "all" : *options.name);
  if (!names) return report(names.error());

  std::vector<JailStatus> jails;
  Failures failures;
  for (const std::string& name : *names) {
    auto status =
        read_jail_status(invocation.host, name, all ? StatusDetail::brief : StatusDetail::full);
    if (!status) {
      failures.add(name, std::move(status).error());
      continue;
    }
    if (status->settings_trouble) {
      failures.add(name, *status->settings_trouble);
    } else if (status->policy_trouble) {
      failures.add(name, *status->policy_trouble);
    }
    jails.push_back(std::move(*status));
  }
  const std::int64_t now = std::time(nullptr);
  if (options.json) {
    fmt::print("{}\n", statuses_json(jails));
  } else {
    fmt::print("{}", status_table(jails, !options.no_header, stdout_takes_colour()));
    if (!all && !jails.empty()) fmt::print("{}", status_details(jails.front(), now));
  }
  warn_of_missing_data(jails);
  if (!jails.empty()) warn_of_full_volume(invocation.host);
  return failures.finish(names->size());
}

}  // namespace

Action declare_status(Arguments& arguments) {
  auto options = std::make_shared<StatusOptions>();
  arguments.optional_word("NAME|all", options->name,
                          "one jail with its sessions, or all of them (the default)");
  arguments.flag("--no-header", options->no_header, "rows only");
  arguments.flag("--json", options->json, "for machines");
  arguments.example("status", "A table of all jails.");
  arguments.note("Exit code 1 where a jail's settings or its incs_policy cannot be read.");
  arguments.example("status web1",
                    "Sessions, traffic, the newest inc, and what is weaker than it "
                    "could be.");
  return [options](const Invocation& invocation) { return run_status(invocation, *options); };
}

}  // namespace evojail
