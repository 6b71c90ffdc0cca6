#include <string>

#include "base/file.hpp"
#include "jail/notify.hpp"
#include "monitor/setup_check.hpp"

namespace evojail {

Findings check_units() {
  if (!systemd_is_running()) {
    return {note(
        "systemd",
        "not PID 1 here: jails are started directly and do not come back after "
        "a reboot by themselves",
        "have 'evojail start all' run at boot, and 'evojail inc; evojail rm --if-fresh' daily")};
  }
  for (const char* directory :
       {"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
        "/usr/lib/systemd/system", "/lib/systemd/system"}) {
    if (path_exists(std::string(directory) + "/evojail@.service")) {
      return {good("systemd", std::string("units in '") + directory + "'")};
    }
  }
  return {note("systemd",
               "evojail@.service is not installed: jails are started directly and do not "
               "come back after a reboot by themselves",
               "install evojail with its units (cmake --install), then systemctl daemon-reload")};
}

}  // namespace evojail
