#pragma once

#include <functional>
#include <string>

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "jail/log.hpp"
#include "kernel/cgroup.hpp"

namespace evojail {

class EventLoop;

struct SupervisorOptions {
  HostSettings host;
  std::string
      settings_file;  ///< of the host, handed on by a reload's execve(2); empty: the default
  std::string name;   ///< of the jail
  LogSink log;
  /// Has whoever delegated this process's cgroup set its weights (CgroupWeights); may be empty.
  std::function<Result<void>(const CgroupWeights&)> set_weights = {};
  /// Called before the loop runs: what the program wants to have done in it beside the jail.
  std::function<void(EventLoop&)> beside = {};
};

/// `evojail run NAME`: starts the jail and stays with it until it is told to stop (SIGTERM, SIGINT,
/// the control socket) or its init dies. Says READY=1 through sd_notify(3) when the port answers.
/// Takes the listener from systemd where LISTEN_FDS has one. A reload executes the program anew in
/// place, with the jail, its sessions and the listener handed over; it then comes through here
/// again.
[[nodiscard]] Result<void> run_supervisor(const SupervisorOptions& options);

}  // namespace evojail
