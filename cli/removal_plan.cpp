#include "cli/removal_plan.hpp"

#include <fmt/format.h>

#include <map>
#include <optional>

#include "base/file.hpp"
#include "cli/select.hpp"
#include "config/jail_name.hpp"
#include "config/jail_settings.hpp"
#include "config/layout.hpp"
#include "retention/decide.hpp"
#include "retention/forecast.hpp"
#include "store/holds.hpp"
#include "store/incs.hpp"
#include "store/jails.hpp"

namespace evojail {
namespace {

Result<std::optional<Policy>> read_policy(const JailPaths& paths) {
  auto text = read_file(paths.incs_policy);
  if (!text && text.error().code() == ENOENT) return std::nullopt;
  if (!text) return std::unexpected(std::move(text).error());
  TRY(Policy policy, parse_policy(*text, paths.incs_policy));
  return policy;
}

/// MIN_INCS and MIN_AGE, of an archived jail from where its settings went, or else as they were
/// when its last inc was taken.
Result<RetentionOptions> read_options(const JailPaths& paths) {
  RetentionOptions options;
  for (const std::string& file : {paths.conf, paths.archive_dir + "/settings/jail.conf",
                                  paths.meta_dir + "/settings/jail.conf"}) {
    const auto text = read_file(file);
    if (!text && text.error().code() == ENOENT) continue;
    if (!text) return std::unexpected(text.error());
    TRY(const JailSettings settings, parse_jail_settings(*text, file));
    options.min_incs = settings.min_incs;
    options.min_age = settings.min_age;
    break;
  }
  return options;
}

/// The facts, as cheaply as the question allows: only some of them need each inc to be opened.
Result<std::vector<IncFacts>> read_facts(const HostSettings& host, const std::string& owner,
                                         bool completeness, bool hold_ends) {
  TRY(const auto incs, list_incs(host, owner, completeness ? ListDetail::full : ListDetail::names));
  std::map<std::string, std::optional<std::int64_t>> ends;
  if (hold_ends) {
    TRY(const auto holds, list_holds(host, owner));
    for (const Hold& hold : holds) ends.emplace(hold.identity, hold.until);
  }
  std::vector<IncFacts> facts;
  for (const IncInfo& inc : incs) {
    // A file that is named like an inc is nobody's business here.
    if (!inc.dated && is_inc_name(inc.name)) continue;
    IncFacts fact;
    fact.name = inc.name;
    fact.complete = inc.complete;
    fact.held = inc.held;
    if (const auto end = ends.find(inc.identity); end != ends.end()) fact.held_until = end->second;
    facts.push_back(std::move(fact));
  }
  return facts;
}

}  // namespace

Result<RemovalPlan> plan_removal(const HostSettings& host, const std::string& owner,
                                 Calendar& calendar, const RemovalQuestion& question) {
  const JailPaths paths(host, owner);
  CHECK(require_inc_owner(host, owner));
  TRY(const auto policy, read_policy(paths));
  TRY(auto options, read_options(paths));
  // An archived jail never gets a fresh inc again, and no failing one hides behind that.
  const bool archived = !path_exists(paths.conf) && path_exists(paths.archive_dir);
  options.if_fresh = question.if_fresh && !archived;
  const bool completeness = question.explain || options.if_fresh || options.min_incs != 0;
  TRY(const auto facts, read_facts(host, owner, completeness, question.explain));

  const Policy* rules = policy ? &*policy : nullptr;
  TRY(const Plan decided, decide(facts, rules, calendar, options));
  std::vector<Fate> fates;
  if (question.explain) fates = forecast(decided, facts, rules, calendar, options);

  RemovalPlan plan;
  plan.owner = owner;
  plan.stopped = evojail::describe(decided.stop, facts, calendar);
  for (std::size_t i = 0; i < decided.verdicts.size(); ++i) {
    const Verdict& verdict = decided.verdicts[i];
    PlannedInc inc;
    inc.name = verdict.name;
    inc.removed = verdict.removed();
    inc.reason = evojail::describe(verdict, rules);
    if (question.explain) inc.fate = fates[i];
    plan.incs.push_back(std::move(inc));
  }
  return plan;
}

}  // namespace evojail
