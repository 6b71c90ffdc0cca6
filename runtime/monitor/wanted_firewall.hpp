#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "kernel/firewall.hpp"

namespace evojail {

/// What one jail's settings ask of the firewall, whether it runs or not. Where they name another
/// port than the running jail listens on, the rules are for that one until it is reloaded: its
/// sessions are not cut off before they have ended.
[[nodiscard]] Result<FirewallJail> wanted_firewall(const HostSettings& host,
                                                   const std::string& name);

/// What the settings of all jails ask of it.
struct WantedFirewall {
  std::vector<FirewallJail> jails;
  std::vector<std::string> unreadable;  ///< jails whose settings cannot be read
  std::vector<Error> errors;            ///< why, in the same order
};
[[nodiscard]] Result<WantedFirewall> wanted_firewall(const HostSettings& host);

}  // namespace evojail
