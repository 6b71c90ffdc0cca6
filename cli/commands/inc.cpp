#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <memory>

#include "base/parse.hpp"
#include "base/printable.hpp"
#include "cli/bulk.hpp"
#include "cli/declare.hpp"
#include "cli/exit_code.hpp"
#include "cli/json/incs.hpp"
#include "cli/message.hpp"
#include "cli/progress.hpp"
#include "cli/report.hpp"
#include "cli/select.hpp"
#include "cli/text.hpp"
#include "config/jail_name.hpp"
#include "config/layout.hpp"
#include "jail/clean_boots.hpp"
#include "monitor/open_sessions.hpp"
#include "retention/calendar.hpp"
#include "retention/local_zone.hpp"
#include "store/incs.hpp"

namespace evojail {
namespace {

struct IncCommand {
  std::vector<std::string> names;
  std::optional<std::string> wait;
  std::optional<std::string> wait_lock;
  std::optional<std::string> at;
  bool json = false;
};

/// The hour after which the incs are named.
Result<std::string> choose_inc_name(const IncCommand& command) {
  const Calendar calendar(std::time(nullptr), load_local_zone());
  if (!command.at) return calendar.inc_name();
  if (!is_inc_name(*command.at)) {
    return std::unexpected(Error(fmt::format("'{}' is no name of an inc", printable(*command.at)))
                               .hint("an inc is named YEAR-MONTH-DAY-HOUR, as in 2026-03-22-11"));
  }
  if (calendar.instant_of(*command.at) <= calendar.now()) return *command.at;
  return std::unexpected(
      Error(fmt::format("'{}' lies in the future", *command.at))
          .hint("such an inc would be the newest for days, and rm would take the clock for wrong"));
}

Result<std::chrono::seconds> parse_wait(const std::optional<std::string>& text) {
  if (!text) return std::chrono::seconds(0);
  const auto seconds = parse_number<std::int64_t>(*text, 0, 7 * 24 * 3600);
  if (seconds) return std::chrono::seconds(*seconds);
  return std::unexpected(Error(fmt::format("'{}' is no number of seconds", printable(*text)))
                             .hint("give a number from 0 to 604800, a week"));
}

/// Waits until no session has a command running, looking twice a second, or until time is up.
void wait_for_sessions(const HostSettings& host, const std::vector<std::string>& names,
                       std::chrono::seconds patience, Progress& progress) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  auto busy = names.begin();
  while (std::chrono::steady_clock::now() < deadline) {
    busy = std::ranges::find_if(names, [&host](const std::string& name) {
      return read_open_sessions(host, name).push_in_flight;
    });
    if (busy == names.end()) return;
    progress.update({.what = *busy});
    ::poll(nullptr, 0, 500);
  }
}

/// The jails of which incs are wanted.
Result<std::vector<std::string>> choose_jails(const HostSettings& host,
                                              const std::vector<std::string>& words) {
  if (const auto inc = find_inc_word(words)) {
    const std::string name = printable(inc->inc);
    return std::unexpected(
        Error(fmt::format("'{}/{}' is an inc: inc takes the names of jails", inc->jail, name))
            .hint(fmt::format("an inc of that name is taken by 'evojail inc {} --at {}'", inc->jail,
                              name)));
  }
  return select_jails(host, words);
}

/// Takes the names that no jail has out of `names`, a failure each.
std::vector<IncOutcome> take_out_missing(const HostSettings& host,
                                         std::vector<std::string>& names) {
  std::vector<IncOutcome> outcomes;
  std::erase_if(names, [&](const std::string& name) {
    auto there = require_jail(host, name);
    // Whatever else is wrong may not keep an inc from being taken.
    if (there || there.error().kind() == ErrorKind::failed) return false;
    IncOutcome outcome;
    outcome.jail = name;
    outcome.error = std::move(there).error();
    outcomes.push_back(std::move(outcome));
    return true;
  });
  return outcomes;
}

std::vector<IncRequest> make_requests(const HostSettings& host,
                                      const std::vector<std::string>& names) {
  std::vector<IncRequest> requests;
  for (const std::string& name : names) {
    requests.push_back({.jail = name,
                        .sessions = [&host, name] { return read_open_sessions(host, name); },
                        .clean_boots = read_clean_boots(host, name)});
  }
  return requests;
}

/// What a person has to know of one inc that is not simply there.
void warn_of(const IncOutcome& outcome, const std::string& inc_name) {
  const std::string inc = fmt::format("{}/{}", outcome.jail, inc_name);
  for (const std::string& warning : outcome.warnings) print_warning(warning);
  if (outcome.status == IncStatus::exists) {
    print_warning(fmt::format("inc '{}' exists already, nothing was done", inc));
  }
  if (outcome.status != IncStatus::taken) return;
  if (outcome.record.push_in_flight) {
    print_warning(fmt::format("inc '{}' is partial: a push was in flight", inc));
  }
  if (!outcome.record.troubles.empty()) {
    print_warning(
        fmt::format("inc '{}' is partial: {}", inc, enumerate(outcome.record.troubles, 3)));
  }
}

bool failed(const IncOutcome& outcome) { return outcome.status == IncStatus::failed; }

std::string summary(const std::vector<IncOutcome>& outcomes, const std::string& inc_name,
                    std::chrono::milliseconds elapsed) {
  const auto count = [&outcomes](IncStatus status) {
    return std::ranges::count(outcomes, status, &IncOutcome::status);
  };
  std::string text =
      fmt::format("{} named {} taken in {:.1f} s",
                  count_of(static_cast<std::uint64_t>(count(IncStatus::taken)), "inc"), inc_name,
                  std::chrono::duration<double>(elapsed).count());
  if (const auto there = count(IncStatus::exists)) text += fmt::format(", {} existed", there);
  if (const auto none = count(IncStatus::no_policy)) {
    text += fmt::format(", {} without an incs policy",
                        count_of(static_cast<std::uint64_t>(none), "jail"));
  }
  if (const auto bad = count(IncStatus::failed)) text += fmt::format(", {} failed", bad);
  return text;
}

/// An inc that a push made partial is worth a warning, not a failure: a client that never stops
/// pushing would otherwise keep "inc && rm" from ever thinning.
int finish(const std::vector<IncOutcome>& outcomes, const std::string& inc_name) {
  Failures failures;
  bool unreadable = false;
  for (const IncOutcome& outcome : outcomes) {
    warn_of(outcome, inc_name);
    unreadable = unreadable || !outcome.record.troubles.empty();
    if (outcome.status == IncStatus::failed) {
      failures.add(outcome.jail, outcome.error.value_or(Error("failed")));
    }
  }
  const int code = failures.finish(outcomes.size());
  return code == exit_code::done && unreadable ? exit_code::failed : code;
}

std::string first_cost(std::string_view jail, const BuildCost& cost) {
  return fmt::format("the first inc of jail '{}' copies about {} in {}", jail,
                     format_bytes(cost.bytes), count_of(cost.names, "name"));
}

void show(Progress& progress, const IncProgress& state) {
  progress.update(
      {.what = state.measuring ? fmt::format("measuring {}", state.jail) : std::string(state.jail),
       .done = state.done,
       .total = state.total,
       .entries = state.entries,
       .bytes = state.bytes,
       .expected_entries = state.expected_entries});
}

int run_inc(const Invocation& invocation, const IncCommand& command) {
  const auto began = std::chrono::steady_clock::now();
  const auto inc_name = choose_inc_name(command);
  if (!inc_name) return report(inc_name.error());
  const auto patience = parse_wait(command.wait);
  if (!patience) return report(patience.error());
  const auto lock_patience = parse_wait(command.wait_lock);
  if (!lock_patience) return report(lock_patience.error());
  auto names = choose_jails(invocation.host, command.names);
  if (!names) return report(names.error());
  const auto missing = take_out_missing(invocation.host, *names);

  Progress waiting("waiting for sessions", invocation.quiet);
  wait_for_sessions(invocation.host, *names, *patience, waiting);
  waiting.clear();

  Progress progress("taking incs", invocation.quiet);
  auto outcomes = take_incs(invocation.host, make_requests(invocation.host, *names), *inc_name,
                            {.lock_patience = *lock_patience}, [&](const IncProgress& state) {
                              if (state.cost && !invocation.quiet) {
                                progress.clear();
                                print_note(first_cost(state.jail, *state.cost));
                              }
                              show(progress, state);
                            });
  progress.clear();
  outcomes.insert(outcomes.end(), missing.begin(), missing.end());
  if (command.json) {
    fmt::print("{}\n", inc_outcomes_json(*inc_name, outcomes));
  } else if (!invocation.quiet && !std::ranges::all_of(outcomes, failed)) {
    fmt::print("{}\n", summary(outcomes, *inc_name,
                               std::chrono::duration_cast<std::chrono::milliseconds>(
                                   std::chrono::steady_clock::now() - began)));
  }
  return finish(outcomes, *inc_name);
}

}  // namespace

Action declare_inc(Arguments& arguments) {
  auto command = std::make_shared<IncCommand>();
  arguments.words("NAME", command->names, "jails; none, or all: every jail");
  arguments.option("--wait", "SECONDS", command->wait,
                   "wait for running sessions, so long at most; an inc taken during one is marked "
                   "partial");
  arguments.option(
      "--wait-lock", "SECONDS", command->wait_lock,
      "wait for an rm or another operation that is at work on a jail, so long at most; "
      "the other jails come first");
  arguments.option("--at", "YYYY-MM-DD-HH", command->at,
                   "name the inc after this hour, not after now: for imports and drills");
  arguments.flag("--json", command->json, "for machines");
  arguments.example("inc", "Of all jails; daily, before 'evojail rm'.");
  arguments.example("inc web1 --wait 600", "Of one, ten minutes after now at the latest.");
  arguments.note(
      "An inc is named after the hour (2026-03-22-11). One that exists is left alone, with a "
      "warning. A jail without an incs_policy wants none. Exit code 1 where something could not be "
      "read; an inc that is partial for a push alone is a warning.");
  return [command](const Invocation& invocation) { return run_inc(invocation, *command); };
}

}  // namespace evojail
