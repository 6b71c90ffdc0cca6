#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/result.hpp"
#include "kernel/cgroup.hpp"

namespace evojail {

/// What systemd says of a service unit.
struct UnitState {
  bool known = false;  ///< its file was found and read (LoadState=loaded)
  /// It runs, or is being started or stopped.
  bool active = false;
  pid_t main_pid = 0;
  std::string status_text;  ///< the latest STATUS= of its main process
  std::string result;       ///< "success", "exit-code", "timeout", …
};

/// systemd's manager, over its own socket (root's) or the system bus.
class Systemd {
 public:
  [[nodiscard]] static Result<Systemd> connect();
  Systemd(Systemd&&) noexcept;
  Systemd& operator=(Systemd&&) noexcept;
  ~Systemd();

  [[nodiscard]] Result<UnitState> unit_state(const std::string& unit);

  /// Queue the job and wait for its end. @return its result: "done", "failed", "timeout",
  /// "canceled", "dependency", "skipped" (org.freedesktop.systemd1(5), JobRemoved).
  [[nodiscard]] Result<std::string> start(const std::string& unit);
  [[nodiscard]] Result<std::string> stop(const std::string& unit);
  [[nodiscard]] Result<std::string> restart(const std::string& unit);

  /// SetUnitProperties: CPUWeight= and IOWeight= of a unit that runs, kept until the next boot.
  [[nodiscard]] Result<void> set_weights(const std::string& unit, const CgroupWeights& weights);
  /// Whether the unit starts at boot ("enabled").
  [[nodiscard]] Result<bool> is_enabled(const std::string& unit);
  [[nodiscard]] Result<void> enable(const std::string& unit);
  [[nodiscard]] Result<void> disable(const std::string& unit);

  /// Clears the count of failed starts, so that a person's own attempt is not refused for it.
  void reset_failed(const std::string& unit);

 private:
  class Bus;
  explicit Systemd(std::unique_ptr<Bus> bus);
  std::unique_ptr<Bus> bus_;
};

/// set_weights() for the service that this process is the main one of. systemd owns the attributes
/// of a cgroup that it delegates, and writes its own values into them again at a daemon-reload; so
/// it is asked to set these (CGROUP_DELEGATION of systemd's documentation).
[[nodiscard]] Result<void> set_own_weights(const CgroupWeights& weights);

}  // namespace evojail
