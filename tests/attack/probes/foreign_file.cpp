// Files that are not the client's: the base image, the jail's settings, the host's.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "probe.hpp"

namespace evojail::attack {
namespace {

constexpr char kProgram[] = "/usr/bin/true";

Outcome write_to(const std::string& path) {
  return outcome_of_fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
}

Outcome write_program() { return write_to(base_path(kProgram)); }

Outcome change_mode() { return outcome_of(::chmod(base_path(kProgram).c_str(), 04755)); }

Outcome change_owner() { return outcome_of(::chown(base_path(kProgram).c_str(), 0, 0)); }

Outcome replace_program() {
  return outcome_of(::rename(base_path("/usr/bin/false").c_str(), base_path(kProgram).c_str()));
}

Outcome remove_program() { return outcome_of(::unlink(base_path("/usr/bin/cat").c_str())); }

Outcome add_program() {
  return outcome_of_fd(
      ::open(base_path("/usr/bin/new").c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755));
}

Outcome swap_directory() {
  const std::string programs = base_path("/usr");
  const std::string aside = base_path("/usr-old");
  const Outcome outcome = outcome_of(::rename(programs.c_str(), aside.c_str()));
  ::rename(aside.c_str(), programs.c_str());
  return outcome;
}

/// The program that runs this very process.
Outcome write_own_program() { return write_to("/proc/self/exe"); }

Outcome through_link(const char* target) {
  const std::string link = data_directory() + "/link";
  ::unlink(link.c_str());
  if (::symlink(target, link.c_str()) != 0) return errno;
  return outcome_of_fd(::open(link.c_str(), O_RDONLY | O_CLOEXEC));
}

Outcome hard_link() {
  const std::string link = data_directory() + "/hard-link";
  ::unlink(link.c_str());
  return outcome_of(::link(base_path("/usr/bin/true").c_str(), link.c_str()));
}

constexpr Probe::Place kSession = Probe::Place::session;
constexpr Probe kProbes[] = {
    {"base-write", kSession, write_program},
    {"base-chmod", kSession, change_mode},
    {"base-chown", kSession, change_owner},
    {"base-rename-over", kSession, replace_program},
    {"base-add", kSession, add_program},
    {"base-remove", kSession, remove_program},
    {"base-swap", kSession, swap_directory},
    {"self-exe-write", kSession, write_own_program},
    {"settings-write", kSession, [] { return write_to(base_path("/etc/ssh/sshd_config")); }},
    {"keys-write", kSession, [] { return write_to(base_path("/root/.ssh/authorized_keys")); }},
    {"passwd-write", kSession, [] { return write_to(base_path("/etc/passwd")); }},
    {"link-to-host", kSession, [] { return through_link("/etc/shadow"); }},
    {"link-above-root", kSession,
     [] { return through_link((above_root() + "etc/shadow").c_str()); }},
    {"hard-link-to-base", kSession, hard_link},
};

}  // namespace

std::span<const Probe> foreign_file_probes() { return kProbes; }

}  // namespace evojail::attack
