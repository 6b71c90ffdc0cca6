// Terminals and device nodes.

#include <fcntl.h>
#include <linux/tiocl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <string>

#include "probe.hpp"

namespace evojail::attack {
namespace {

/// The slave of a new terminal of the jail.
int open_terminal() {
  const int master = ::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
  const int unlocked = 0;
  if (master < 0 || ::ioctl(master, TIOCSPTLCK, &unlocked) != 0) return -1;
  return ::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

Outcome terminal_call(unsigned long call, void* argument) {
  const int terminal = open_terminal();
  if (terminal < 0) return errno;
  // The caller's own terminal: for another one's, more than the filter stands in the way.
  if (::setsid() < 0 || ::ioctl(terminal, TIOCSCTTY, 0) != 0) return errno;
  return outcome_of(::syscall(SYS_ioctl, terminal, call, argument));
}

/// Puts a byte into the input of whoever reads that terminal.
Outcome type_into(unsigned long high) {
  char byte = 'x';
  return terminal_call(TIOCSTI | high, &byte);
}

/// Copies and pastes on a console; no console, ENOTTY.
Outcome paste_into(unsigned long high) {
  char what = TIOCL_PASTESEL;
  return terminal_call(TIOCLINUX | high, &what);
}

/// Line disciplines are modules that a terminal pulls in by number.
Outcome set_discipline() {
  int terminal_discipline = 0;
  return terminal_call(TIOCSETD, &terminal_discipline);
}

/// Makes the node and opens it.
Outcome use_node(const std::string& path, mode_t type, dev_t device) {
  ::unlink(path.c_str());
  if (::mknod(path.c_str(), type | 0666, device) != 0) return errno;
  return outcome_of_fd(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

Outcome character_device() {
  return use_node(data_directory() + "/zero", S_IFCHR, ::makedev(1, 5));
}

Outcome block_device() { return use_node(data_directory() + "/loop", S_IFBLK, ::makedev(7, 0)); }

Outcome device_elsewhere() { return use_node("/run/zero", S_IFCHR, ::makedev(1, 5)); }

Outcome device_in_dev() {
  return outcome_of(::mknod(base_path("/dev/pipe").c_str(), S_IFIFO | 0666, 0));
}

Outcome replace_null() {
  return outcome_of(::rename(base_path("/dev/zero").c_str(), base_path("/dev/null").c_str()));
}

Outcome whiteout() {
  const int fd = make_file("covered");
  if (fd < 0) return errno;
  const std::string path = data_directory() + "/covered";
  const std::string moved = path + ".moved";
  constexpr unsigned rename_whiteout = 4;
  return outcome_of(
      ::syscall(SYS_renameat2, AT_FDCWD, path.c_str(), AT_FDCWD, moved.c_str(), rename_whiteout));
}

Outcome kernel_messages() { return outcome_of_fd(::open("/dev/kmsg", O_RDONLY | O_CLOEXEC)); }

constexpr Probe::Place kSession = Probe::Place::session;
constexpr Probe kProbes[] = {
    {"terminal-type", kSession, [] { return type_into(0); }},
    {"terminal-type-high", kSession, [] { return type_into(kHighBits); }},
    {"terminal-paste", kSession, [] { return paste_into(0); }},
    {"terminal-paste-high", kSession, [] { return paste_into(kHighBits); }},
    {"terminal-discipline", kSession, set_discipline},
    {"device-character", kSession, character_device},
    {"device-block", kSession, block_device},
    {"device-in-tmpfs", kSession, device_elsewhere},
    {"dev-create", kSession, device_in_dev},
    {"dev-replace", kSession, replace_null},
    {"dev-kmsg", kSession, kernel_messages},
    {"whiteout", kSession, whiteout},
};

}  // namespace

std::span<const Probe> device_probes() { return kProbes; }

}  // namespace evojail::attack
