#pragma once

#include <memory>

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "jail/event_loop.hpp"
#include "jail/log.hpp"
#include "monitor/steady_error.hpp"

namespace evojail {

/// Watches over the firewall for the whole host until SIGTERM or SIGINT: the table is brought in
/// line with the settings of all jails at once, and again whenever somebody else has touched it. A
/// jail whose settings cannot be read keeps the rules that it had when they last could. Another
/// keeper on this host is an error that names it. Says READY=1 through sd_notify(3).
[[nodiscard]] Result<void> keep_firewall(const HostSettings& host, const LogSink& log);

/// The same as a role that one of several supervisors holds, where nothing runs it as a service of
/// its own: who holds RUNDIR/.lock/.firewall-watch watches, the others ask for it every few
/// seconds, and the next one has it when the holder is gone. Works within the supervisor's loop.
class FirewallRole {
 public:
  FirewallRole(const HostSettings& host, LogSink log);
  FirewallRole(const FirewallRole&) = delete;
  FirewallRole& operator=(const FirewallRole&) = delete;
  ~FirewallRole();

  /// Takes the role, now or later. The object must outlive the loop's run.
  void seek(EventLoop& loop);

 private:
  class Duty;
  HostSettings host_;
  LogSink log_;
  SteadyError trouble_;
  std::unique_ptr<Duty> duty_;
};

/// Makes the whole table anew from the settings of all jails: rules of jails that are no more go.
/// While a jail's settings cannot be read, nothing is done and false returned: what looks foreign
/// may be its rules.
[[nodiscard]] Result<bool> renew_firewall(const HostSettings& host);

}  // namespace evojail
