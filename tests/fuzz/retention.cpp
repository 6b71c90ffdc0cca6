#include <algorithm>
#include <string>
#include <vector>

#include "base/parse.hpp"
#include "config/jail_name.hpp"
#include "fuzz.hpp"
#include "retention/forecast.hpp"

// A policy, a byte of zero, and the names of incs, a line each.
EVOJAIL_FUZZ(retention) {
  constexpr std::int64_t kNow = 1'774'177'200;  // 2026-03-22 11:00 UTC
  const auto end = input.find('\0');
  if (end == std::string_view::npos) return;
  const auto policy = parse_policy(input.substr(0, end), "incs_policy");
  if (!policy) return;
  std::vector<IncFacts> incs;
  for (const std::string_view name : split_lines(input.substr(end + 1))) {
    if (incs.size() < 64) incs.push_back({.name = std::string(name)});
  }
  const RetentionOptions options{.min_incs = static_cast<unsigned>(input.size() % 4)};
  Calendar calendar(kNow, [](std::int64_t) { return LocalOffset{}; });
  const auto plan = decide(incs, &*policy, calendar, options);
  if (!plan) return;
  require(plan->verdicts.size() == incs.size(), "a verdict each");
  const auto fates = forecast(*plan, incs, &*policy, calendar, options);
  require(fates.size() == incs.size(), "a fate each");
  std::size_t dated = 0;
  std::size_t stayed = 0;
  for (std::size_t i = 0; i < fates.size(); ++i) {
    const Verdict& verdict = plan->verdicts[i];
    if (is_inc_name(verdict.name)) ++dated;
    if (verdict.removed()) {
      require(is_inc_name(verdict.name), "only incs go");
      require(plan->stop == Stop::no, "a stopped plan removes nothing");
    } else if (is_inc_name(verdict.name)) {
      ++stayed;
    }
    require((fates[i].kind == Fate::Kind::now) == verdict.removed(), "plan and forecast agree");
    if (fates[i].kind == Fate::Kind::on) {
      require(fates[i].day > calendar.today(), "what stays goes later");
    }
  }
  require(stayed >= std::min<std::size_t>(options.min_incs, dated), "MIN_INCS stay");
}
