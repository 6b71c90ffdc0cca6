#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/file.hpp"
#include "cli/declare.hpp"
#include "cli/exit_code.hpp"
#include "cli/message.hpp"
#include "cli/progress.hpp"
#include "cli/report.hpp"
#include "cli/select.hpp"
#include "cli/start_again.hpp"
#include "cli/stopped_text.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"
#include "config/jail_name.hpp"
#include "config/layout.hpp"
#include "jail/clean_boots.hpp"
#include "jail/last_session.hpp"
#include "kernel/firewall.hpp"
#include "store/holds.hpp"
#include "store/incs.hpp"
#include "store/jails.hpp"
#include "store/uid_lease.hpp"

namespace evojail {
namespace {

struct RemoveOptions {
  std::string name;
  bool force = false;
};

/// Refused before the jail is stopped, not after. A hold on an inc that somebody deleted by hand
/// binds nothing.
Result<void> check_no_holds(const HostSettings& host, const std::string& name) {
  TRY(const auto incs, list_incs(host, name));
  TRY(auto holds, list_holds(host, name));
  std::erase_if(holds, [&incs](const Hold& hold) {
    return std::ranges::find(incs, hold.identity, &IncInfo::identity) == incs.end();
  });
  if (holds.empty()) return {};
  return std::unexpected(
      Error(fmt::format("jail '{}' has {} on hold: {}", name, count_of(holds.size(), "inc"),
                        holds.front().reason))
          .hint(fmt::format("evojail list-incs {} shows them, evojail inc-release lets them go",
                            name)));
}

std::string question(const HostSettings& host, const std::string& name) {
  const auto incs = list_incs(host, name, ListDetail::names);
  return fmt::format("Remove jail '{}' with its data{} for good?", name,
                     incs && !incs->empty() ? " and " + count_of(incs->size(), "inc") : "");
}

Result<void> remove_whole(const Invocation& invocation, const RemoveOptions& options, bool gone) {
  const HostSettings& host = invocation.host;
  TRY(const auto stopped, stop_jail(service_of(invocation), options.name));
  forget_boots(host, options.name);
  Progress progress("removing", invocation.quiet);
  auto left = remove_jail(host, options.name, options.force, [&](std::uint64_t entries) {
    progress.update({.what = options.name, .entries = entries});
  });
  progress.clear();
  if (!left) {
    return std::unexpected(start_again(invocation, options.name, stopped, std::move(left).error()));
  }
  // With --force also what is left of a jail that is gone already.
  CHECK(Firewall(host.firewall_table).remove(options.name));
  CHECK(release_uid_range(host, options.name));
  forget_last_session(host, options.name);
  if (const auto disabled = disable_jail(service_of(invocation), options.name); !disabled) {
    print_warning("it would still start at boot: " + disabled.error().message());
  }
  if (!left->empty()) {
    print_warning(fmt::format(
        "'{}' stays: {} no inc of evojail's: {}", JailPaths(host, options.name).incs_dir,
        left->size() == 1 ? "it holds what is" : "it holds things that are", enumerate(*left)));
  }
  if (invocation.quiet) return {};
  if (gone) {
    const JailPaths paths(host, options.name);
    const bool archived = path_exists(paths.incs_dir) || path_exists(paths.archive_dir);
    fmt::print("there is no jail '{}'{}\n", options.name,
               archived ? "; what is left of an archived one stays" : "");
  } else {
    fmt::print("jail '{}' removed{}\n", options.name, stopped ? ", " + describe(*stopped) : "");
  }
  return {};
}

/// A jail that is not there, with --force: whatever an earlier removal left goes, silently.
int run_remove(const Invocation& invocation, const RemoveOptions& options) {
  const HostSettings& host = invocation.host;
  if (const auto name = parse_jail_name(options.name); !name) return report(name.error());
  const auto there = require_jail(host, options.name);
  const bool gone = !there && there.error().kind() == ErrorKind::no_such_jail;
  if (gone && !options.force) return report(there);
  if (!there && there.error().kind() == ErrorKind::layout_version) return report(there);
  if (const auto free = check_no_holds(host, options.name); !free) return report(free);
  if (!options.force) {
    if (!is_terminal(STDIN_FILENO)) {
      print_error(
          Error(fmt::format("jail '{}' is not removed: nobody is there to be asked", options.name))
              .hint("--force removes without asking"));
      return exit_code::refused;
    }
    if (!ask_yes(question(host, options.name))) {
      print_note(fmt::format("jail '{}' is not removed", options.name));
      return exit_code::refused;
    }
  }
  return report(remove_whole(invocation, options, gone));
}

}  // namespace

Action declare_remove(Arguments& arguments) {
  auto options = std::make_shared<RemoveOptions>();
  arguments.word("NAME", options->name, "the jail");
  arguments.flag("-f,--force", options->force,
                 "do not ask; a jail that does not exist is no error");
  arguments.example("remove web1", "Asks first. A running jail is stopped.");
  arguments.note("A jail with a held inc is not removed. To keep the data, see 'evojail archive'.");
  return [options](const Invocation& invocation) { return run_remove(invocation, *options); };
}

}  // namespace evojail
