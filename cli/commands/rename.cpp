#include <fmt/format.h>

#include <memory>

#include "cli/declare.hpp"
#include "cli/report.hpp"
#include "cli/select.hpp"
#include "cli/start_again.hpp"
#include "cli/stopped_text.hpp"
#include "config/jail_name.hpp"
#include "jail/clean_boots.hpp"
#include "jail/jail_rules.hpp"
#include "jail/last_session.hpp"
#include "monitor/wanted_firewall.hpp"
#include "store/jails.hpp"
#include "store/moves.hpp"
#include "store/recover.hpp"

namespace evojail {
namespace {

struct Names {
  std::string old_name;
  std::string new_name;
};

/// The old name's went with the name.
Result<void> put_rules(const HostSettings& host, const std::string& name) {
  TRY(const FirewallJail wanted, wanted_firewall(host, name));
  return apply_firewall(host, wanted);
}

/// Before a running jail is stopped for it.
Result<void> check_names(const HostSettings& host, const Names& names) {
  if (names.old_name == names.new_name) {
    return std::unexpected(Error(fmt::format("'{}' is its name already", names.new_name))
                               .hint("'evojail list' shows the names that are taken"));
  }
  CHECK(parse_jail_name(names.old_name));
  // One that was cut short goes on, and has left something under both names.
  TRY(const bool moving, is_moving(host, names.old_name));
  if (moving) return {};
  CHECK(require_new_name(host, names.new_name));
  // With settings that cannot be read it could not be started again.
  CHECK(load_jail(host, names.old_name));
  return check_unused(host, names.new_name);
}

Result<void> run_rename(const Invocation& invocation, const Names& names) {
  const HostSettings& host = invocation.host;
  CHECK(check_names(host, names));
  const ServiceHost service = service_of(invocation);
  TRY(const auto stopped, stop_jail(service, names.old_name));
  // First: what is known of boots must not outlive a rename that another operation finishes.
  forget_boots(host, names.old_name);
  forget_boots(host, names.new_name);
  if (auto renamed = rename_jail(host, names.old_name, names.new_name); !renamed) {
    return std::unexpected(
        start_again(invocation, names.old_name, stopped, std::move(renamed).error()));
  }
  if (const auto last = read_last_session(host, names.old_name); last && *last) {
    CHECK(write_last_session(host, names.new_name, **last));
  }
  forget_last_session(host, names.old_name);
  TRY(const bool at_boot, disable_jail(service, names.old_name));
  if (at_boot) CHECK(enable_jail(service, names.new_name));
  // Last: where the kernel takes no rules, the rest is done all the same.
  if (auto put = put_rules(host, names.new_name); !put) {
    return std::unexpected(std::move(put).error().in(
        fmt::format("the jail is '{0}' now and does not run; 'evojail firewall {0}' puts its rules "
                    "in place",
                    names.new_name)));
  }
  if (stopped) CHECK(start_jail(service, names.new_name));
  if (!invocation.quiet) {
    fmt::print("jail '{}' is now '{}'{}\n", names.old_name, names.new_name,
               stopped ? ", started again; " + describe(*stopped) : "");
  }
  return {};
}

Result<void> run_archive(const Invocation& invocation, const std::string& name) {
  const HostSettings& host = invocation.host;
  TRY(const auto stopped, stop_jail(service_of(invocation), name));
  forget_boots(host, name);
  if (auto archived = archive_jail(host, name); !archived) {
    return std::unexpected(start_again(invocation, name, stopped, std::move(archived).error()));
  }
  forget_last_session(host, name);
  CHECK(disable_jail(service_of(invocation), name));
  if (!invocation.quiet) {
    fmt::print("jail '{}' is archived in '{}'{}; its incs stay and are thinned on\n", name,
               host.archivesdir, stopped ? ", " + describe(*stopped) : "");
  }
  return {};
}

}  // namespace

Action declare_rename(Arguments& arguments) {
  auto names = std::make_shared<Names>();
  arguments.word("OLD", names->old_name, "the jail");
  arguments.word("NEW", names->new_name, "its new name");
  arguments.example("rename web1 web2",
                    "Data, incs, keys and port go along; a running jail is "
                    "stopped and started again.");
  return [names](const Invocation& invocation) { return report(run_rename(invocation, *names)); };
}

Action declare_archive(Arguments& arguments) {
  auto name = std::make_shared<std::string>();
  arguments.word("NAME", *name, "the jail");
  arguments.example("archive web1", "A client that is no more: its port is free again.");
  arguments.note(
      "Data, settings and keys move to ARCHIVESDIR/NAME. The incs stay where they are "
      "and go as the policy says.");
  return [name](const Invocation& invocation) { return report(run_archive(invocation, *name)); };
}

}  // namespace evojail
