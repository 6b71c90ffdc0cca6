// Administration of the machine. Each attempt would change nothing even where it is allowed: the
// kernel asks for the right first, and then finds an argument that it refuses, or nothing to do.

#include <fcntl.h>
#include <sys/klog.h>
#include <sys/quota.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstring>
#include <ctime>

#include "probe.hpp"

namespace evojail::attack {
namespace {

Outcome set_host_name() {
  utsname names{};
  ::uname(&names);
  return outcome_of(::sethostname(names.nodename, std::strlen(names.nodename)));
}

Outcome set_domain_name() {
  utsname names{};
  ::uname(&names);
  return outcome_of(::setdomainname(names.domainname, std::strlen(names.domainname)));
}

/// Neither time nor zone: the right to set it is all that is asked.
Outcome set_time() { return outcome_of(::syscall(SYS_settimeofday, nullptr, nullptr)); }

Outcome shift_clock() {
  timex change{};
  change.modes = ADJ_SETOFFSET;
  return outcome_of(::clock_adjtime(CLOCK_REALTIME, &change));
}

Outcome read_clock_discipline() {
  timex none{};
  return outcome_of(::adjtimex(&none));
}

Outcome wake_machine() {
  timer_t timer{};
  return outcome_of(::syscall(SYS_timer_create, CLOCK_REALTIME_ALARM, nullptr, &timer));
}

Outcome restart() { return outcome_of(::syscall(SYS_reboot, 0, 0, 0, nullptr)); }

Outcome load_kernel() { return outcome_of(::syscall(SYS_kexec_load, 0, 0, nullptr, 0xff)); }

Outcome load_module() { return outcome_of(::syscall(SYS_finit_module, -1, "", 0)); }

Outcome unload_module() {
  return outcome_of(::syscall(SYS_delete_module, "no_such_module", O_NONBLOCK));
}

Outcome account() { return outcome_of(::acct("/no/such/file")); }

Outcome swap_on() { return outcome_of(::swapon("/no/such/file", 0)); }

Outcome swap_off() { return outcome_of(::swapoff("/no/such/file")); }

Outcome quota() {
  return outcome_of(::quotactl(QCMD(Q_GETINFO, USRQUOTA), "/no/such/device", 0, nullptr));
}

Outcome unread_messages() {
  constexpr int size_unread = 9;
  return outcome_of(::klogctl(size_unread, nullptr, 0));
}

Outcome hang_up() { return outcome_of(::vhangup()); }

constexpr Probe::Place kSession = Probe::Place::session;
constexpr Probe kProbes[] = {
    {"host-name", kSession, set_host_name},
    {"domain-name", kSession, set_domain_name},
    {"clock-set", kSession, set_time},
    {"clock-shift", kSession, shift_clock},
    {"clock-discipline", kSession, read_clock_discipline},
    {"clock-wake", kSession, wake_machine},
    {"reboot", kSession, restart},
    {"kexec", kSession, load_kernel},
    {"module-load", kSession, load_module},
    {"module-unload", kSession, unload_module},
    {"accounting", kSession, account},
    {"swap-on", kSession, swap_on},
    {"swap-off", kSession, swap_off},
    {"quota", kSession, quota},
    {"kernel-log", kSession, unread_messages},
    {"hang-up", kSession, hang_up},
};

}  // namespace

std::span<const Probe> host_probes() { return kProbes; }

}  // namespace evojail::attack
