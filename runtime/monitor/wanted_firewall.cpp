#include "monitor/wanted_firewall.hpp"

#include "config/layout.hpp"
#include "jail/control_client.hpp"
#include "jail/jail_rules.hpp"
#include "jail/run_dir.hpp"
#include "store/jails.hpp"
#include "store/recover.hpp"
#include "store/uid_lease.hpp"

namespace evojail {
namespace {

Result<void> keep_port_in_force(JailSettings& settings, const JailPaths& paths) {
  TRY(const auto noted, noted_port(paths));
  if (!noted || *noted == settings.port) return {};
  TRY(const bool running, has_supervisor(paths));
  if (running) settings.port = *noted;
  return {};
}

}  // namespace

Result<FirewallJail> wanted_firewall(const HostSettings& host, const std::string& name) {
  TRY(auto settings, load_jail(host, name));
  CHECK(keep_port_in_force(settings, JailPaths(host, name)));
  TRY(const auto range, find_uid_range(host, name));
  return plan_firewall(name, settings, range ? range->base() : 0);
}

Result<WantedFirewall> wanted_firewall(const HostSettings& host) {
  TRY(const auto names, list_jails(host));
  WantedFirewall wanted;
  for (const std::string& name : names) {
    auto jail = wanted_firewall(host, name);
    if (jail) {
      wanted.jails.push_back(std::move(*jail));
    } else if (const auto moving = is_moving(host, name); !moving || !*moving) {
      wanted.unreadable.push_back(name);
      wanted.errors.push_back(std::move(jail).error());
    }
  }
  return wanted;
}

}  // namespace evojail
