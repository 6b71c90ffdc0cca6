#include <algorithm>
#include <array>

#include "cli/command.hpp"
#include "cli/declare.hpp"

namespace evojail {
namespace {

using G = CommandGroup;
using N = CommandNeeds;

constexpr std::array<Command, 28> kCommands = {{
    {"init", G::jails, N::root, "Make a jail, with a port and host keys of its own", declare_init},
    {"list", G::jails, N::settings, "List the jails, a name a line", declare_list},
    {"status", G::jails, N::root, "Show jails and their sessions", declare_status},
    {"rename", G::jails, N::root, "Give a jail another name", declare_rename},
    {"archive", G::jails, N::root, "Put a jail away; its incs stay", declare_archive},
    {"remove", G::jails, N::root, "Remove a jail with its data and incs", declare_remove},

    {"key", G::access, N::root, "Show or set the client's public keys", declare_key},
    {"ip", G::access, N::root, "Show or set the addresses that may connect", declare_ip},
    {"port", G::access, N::root, "Show or set the port", declare_port},
    {"firewall", G::access, N::root, "Put the firewall's rules in place, or watch over them",
     declare_firewall},

    {"start", G::running, N::root, "Start a jail, or all", declare_start},
    {"stop", G::running, N::root, "Stop a jail, or all; sessions end", declare_stop},
    {"restart", G::running, N::root, "Stop and start a jail, or all; sessions end",
     declare_restart},
    {"reload", G::running, N::root, "Take up new settings, keys and program; sessions go on",
     declare_reload},
    {"is-on", G::running, N::root, "Say by the exit code whether a jail runs", declare_is_on},
    {"run", G::running, N::root, "Run a jail in the foreground, as systemd does", declare_run},

    {"inc", G::incs, N::root, "Take an inc of each jail", declare_inc},
    {"rm", G::incs, N::root, "Remove the incs that the policies do not keep", declare_rm},
    {"list-incs", G::incs, N::root, "List the incs of a jail", declare_list_incs},
    {"verify", G::incs, N::root, "Tell whether an inc is still what was taken", declare_verify},
    {"inc-hold", G::incs, N::root, "Keep an inc whatever the policy says", declare_inc_hold},
    {"inc-release", G::incs, N::root, "Leave an inc to the policy again", declare_inc_release},
    {"freeze", G::incs, N::root, "Stop a jail and hold all its incs", declare_freeze},
    {"inc-lock", G::incs, N::root, "Make incs read-only (btrfs)", declare_inc_lock},
    {"inc-unlock", G::incs, N::root, "Make incs writable (btrfs)", declare_inc_unlock},

    {"check-setup", G::host, N::root, "Say what this host lacks or has wrong, each with its cure",
     declare_check_setup},
    {"update", G::host, N::root, "Build the jails' base image anew from this host's programs",
     declare_update},
    {"profile", G::host, N::settings, "List, show and check isolation profiles", declare_profile},
}};

}  // namespace

std::span<const Command> all_commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  const auto found = std::ranges::find(kCommands, name, &Command::name);
  return found == kCommands.end() ? nullptr : &*found;
}

}  // namespace evojail
