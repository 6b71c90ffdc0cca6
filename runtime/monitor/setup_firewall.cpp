#include <fmt/format.h>

#include "monitor/setup_check.hpp"
#include "monitor/wanted_firewall.hpp"

namespace evojail {
namespace {

Findings check_drift(Firewall& firewall, const HostSettings& host) {
  const auto wanted = wanted_firewall(host);
  if (!wanted) return {missing("firewall", wanted.error())};
  if (!wanted->errors.empty()) return {missing("firewall", wanted->errors.front())};
  if (wanted->jails.empty()) return {good("firewall", "no jails, no rules wanted")};
  const auto drift = firewall.compare(wanted->jails);
  if (!drift) return {missing("firewall", drift.error())};
  if (drift->none()) return {good("firewall", "the kernel's rules are those of the settings")};
  const auto& example = drift->missing.empty() ? drift->foreign.front() : drift->missing.front();
  return {missing("firewall",
                  fmt::format("rules missing: {}, foreign: {}, such as: {}", drift->missing.size(),
                              drift->foreign.size(), example),
                  "evojail firewall all; evojail-firewall.service keeps them in place")};
}

}  // namespace

Findings check_firewall(const HostSettings& host) {
  Firewall firewall(host.firewall_table);
  Findings findings = check_drift(firewall, host);
  const auto chains = firewall.other_chains();
  if (!chains) {
    findings.push_back(missing("firewall", chains.error()));
    return findings;
  }
  for (const OtherChain& chain : *chains) {
    if (!chain.may_drop) continue;
    findings.push_back(
        note("firewall",
             fmt::format("chain '{}' of table '{} {}' ({} hook{}) can drop what evojail accepts",
                         chain.chain, chain.family, chain.table, chain.hook,
                         chain.policy_drop ? ", policy drop" : ""),
             "let it accept the jails' ports: an accept in evojail's table cannot override its "
             "drop"));
  }
  return findings;
}

}  // namespace evojail
