#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "base/printable.hpp"
#include "cli/bulk.hpp"
#include "cli/declare.hpp"
#include "cli/json/incs.hpp"
#include "cli/message.hpp"
#include "cli/progress.hpp"
#include "cli/removal_plan.hpp"
#include "cli/report.hpp"
#include "cli/select.hpp"
#include "cli/text.hpp"
#include "retention/local_zone.hpp"
#include "store/incs.hpp"
#include "store/recover.hpp"

namespace evojail {
namespace {

struct RmCommand {
  std::vector<std::string> names;
  bool dry_run = false;
  bool explain = false;
  bool if_fresh = false;
  bool json = false;
};

/// Every directory of INCDIR, archived jails' included; or those named.
Result<std::vector<std::string>> select_owners(const HostSettings& host,
                                               const std::vector<std::string>& words) {
  if (const auto inc = find_inc_word(words)) {
    return std::unexpected(
        Error(fmt::format("'{}/{}' is an inc: rm takes jails, whose policies choose the incs",
                          inc->jail, printable(inc->inc)))
            .hint(
                fmt::format("'evojail rm {} --explain' says what keeps it; how one inc is removed "
                            "by hand: evojail(8), rm",
                            inc->jail)));
  }
  TRY(const bool all, stand_for_all(words));
  return all ? list_inc_owners(host) : select_jails(host, words);
}

std::string describe(const PlannedInc& inc) {
  if (!inc.fate) return {};
  switch (inc.fate->kind) {
    case Fate::Kind::on:
      return "; goes on " + to_string(inc.fate->day);
    case Fate::Kind::stays:
      return "; stays";
    case Fate::Kind::now:
      break;
  }
  return {};
}

void print_explanation(const RemovalPlan& plan) {
  for (const PlannedInc& inc : plan.incs) {
    fmt::print("{} {}/{}: {}{}\n", inc.removed ? "remove" : "keep", plan.owner, inc.name,
               inc.reason, describe(inc));
  }
}

void print_plans(const std::vector<RemovalPlan>& plans, const RmCommand& command) {
  for (const RemovalPlan& plan : plans) {
    if (command.explain) {
      print_explanation(plan);
      continue;
    }
    for (const PlannedInc& inc : plan.incs) {
      if (inc.removed) fmt::print("remove {}/{}\n", plan.owner, inc.name);
    }
  }
}

std::vector<RemovalOutcome> carry_out(const Invocation& invocation,
                                      const std::vector<RemovalPlan>& plans) {
  std::vector<IncRemoval> removals;
  for (const RemovalPlan& plan : plans) {
    IncRemoval removal{plan.owner, {}};
    for (const PlannedInc& inc : plan.incs) {
      if (inc.removed) removal.incs.push_back(inc.name);
    }
    // A directory without any entry goes, too.
    if (!removal.incs.empty() || plan.incs.empty()) removals.push_back(std::move(removal));
  }
  Progress progress("removing incs", invocation.quiet);
  return remove_incs(invocation.host, removals, [&progress](const RemovalProgress& state) {
    progress.update({.what = state.owner,
                     .done = state.done,
                     .total = state.total,
                     .entries = state.entries,
                     .expected_entries = state.expected_entries,
                     .at_once = state.at_once});
  });
}

/// What an rm or inc that was cut short has left goes also where no inc is to go.
void finish_others(const Invocation& invocation, const std::vector<RemovalPlan>& plans,
                   std::vector<RemovalOutcome>& outcomes) {
  for (const RemovalPlan& plan : plans) {
    if (std::ranges::any_of(plan.incs, &PlannedInc::removed)) continue;
    auto finished = finish_cut_short(invocation.host, plan.owner);
    if (finished) continue;
    outcomes.push_back({.owner = plan.owner,
                        .inc = {},
                        .status = RemovalStatus::failed,
                        .error = std::move(finished).error()});
  }
}

void collect_failures(const std::vector<RemovalOutcome>& outcomes, Failures& failures) {
  for (const RemovalOutcome& outcome : outcomes) {
    if (outcome.status != RemovalStatus::failed) continue;
    failures.add(outcome.owner, outcome.error.value_or(Error("failed")));
  }
}

int run_rm(const Invocation& invocation, const RmCommand& command) {
  const auto owners = select_owners(invocation.host, command.names);
  if (!owners) return report(owners.error());
  Calendar calendar(std::time(nullptr), load_local_zone());

  std::vector<RemovalPlan> plans;
  std::vector<RemovalOutcome> unplanned;
  Failures failures;
  for (const std::string& owner : *owners) {
    auto plan = plan_removal(invocation.host, owner, calendar,
                             {.if_fresh = command.if_fresh, .explain = command.explain});
    if (!plan) {
      unplanned.push_back(
          {.owner = owner, .inc = {}, .status = RemovalStatus::failed, .error = plan.error()});
      failures.add(owner, std::move(plan).error());
      continue;
    }
    if (!plan->stopped.empty()) print_warning(fmt::format("{}: {}", owner, plan->stopped));
    plans.push_back(std::move(*plan));
  }

  std::vector<RemovalOutcome> outcomes;
  const bool only_show = command.dry_run || command.explain;
  if (!only_show) {
    outcomes = carry_out(invocation, plans);
    finish_others(invocation, plans, outcomes);
    collect_failures(outcomes, failures);
  }
  if (command.json) {
    // For whoever reads nothing but the document.
    for (const RemovalOutcome& jail : unplanned) {
      plans.push_back({.owner = jail.owner, .incs = {}, .stopped = jail.error->message()});
      outcomes.push_back(jail);
    }
    fmt::print("{}\n", only_show ? removal_plans_json(plans) : removal_outcomes_json(outcomes));
  } else if (only_show) {
    print_plans(plans, command);
  } else if (!invocation.quiet && !plans.empty()) {
    const auto removed =
        std::ranges::count(outcomes, RemovalStatus::removed, &RemovalOutcome::status);
    fmt::print("{} removed, {} looked at\n", count_of(static_cast<std::uint64_t>(removed), "inc"),
               count_of(plans.size(), "jail"));
  }
  return failures.finish(owners->size());
}

}  // namespace

Action declare_rm(Arguments& arguments) {
  auto command = std::make_shared<RmCommand>();
  arguments.words("NAME", command->names,
                  "jails; none, or all: every jail that has incs, archived ones too");
  arguments.flag("--dry-run", command->dry_run,
                 "remove nothing; print a line 'remove NAME/INC' for each inc that would go");
  arguments.flag("--explain", command->explain,
                 "remove nothing; print each inc, what keeps it and the day on which it will go");
  arguments.flag(
      "--if-fresh", command->if_fresh,
      "leave a jail alone that has no complete inc younger than 48 hours, or a gap before it");
  arguments.flag("--json", command->json, "for machines");
  arguments.example("rm --dry-run", "What would go.");
  arguments.example("rm web1 --explain", "Why what stays stays, and until when.");
  arguments.example("rm --if-fresh", "Daily, after 'evojail inc', as the timer does.");
  arguments.note(
      "A policy that cannot be parsed, or is empty, stops the removal of that jail's incs. A jail "
      "without one "
      "keeps all its incs. Held incs stay.");
  return [command](const Invocation& invocation) { return run_rm(invocation, *command); };
}

}  // namespace evojail
