#pragma once

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "jail/log.hpp"

namespace evojail {

/// Watches over the firewall for the whole host until SIGTERM or SIGINT: the table is brought in
/// line with the settings of all jails at once, and again whenever somebody else has touched it. A
/// jail whose settings cannot be read keeps the rules that it had when they last could. Another
/// keeper on this host is an error that names it. Says READY=1 through sd_notify(3).
[[nodiscard]] Result<void> keep_firewall(const HostSettings& host, const LogSink& log);

/// Makes the whole table anew from the settings of all jails: rules of jails that are no more go.
/// While a jail's settings cannot be read, nothing is done and false returned: what looks foreign
/// may be its rules.
[[nodiscard]] Result<bool> renew_firewall(const HostSettings& host);

}  // namespace evojail
