#include "cli/change_settings.hpp"

#include <fmt/format.h>

#include "base/lock.hpp"
#include "cli/select.hpp"
#include "cli/text.hpp"
#include "config/layout.hpp"
#include "jail/control_client.hpp"
#include "jail/jail_rules.hpp"
#include "monitor/wanted_firewall.hpp"
#include "store/host_check.hpp"
#include "store/jails.hpp"

namespace evojail {
namespace {

Result<void> put_rules(const HostSettings& host, const std::string& name) {
  TRY(const FirewallJail wanted, wanted_firewall(host, name));
  return apply_firewall(host, wanted);
}

}  // namespace

Result<SettingsChange> change_settings(const Invocation& invocation, const std::string& name,
                                       const SettingsEditor& editor) {
  const HostSettings& host = invocation.host;
  CHECK(require_jail(host, name));  // before anything is made
  CHECK(make_run_dirs(host));
  TRY(const auto lock,
      FileLock::take(fmt::format("{}/.lock/{}.settings", host.rundir, name), FileLock::Wait::yes));

  const std::string file = JailPaths(host, name).conf;
  TRY(const std::string before, load_jail_text(host, name));
  TRY(const JailSettings settings, parse_jail_settings(before, file));
  TRY(const SettingsEdit edit, editor(settings));
  TRY(const std::string after, edit_jail_settings(before, file, edit.key, edit.value));
  SettingsChange change;
  change.changed = after != before;
  if (change.changed) CHECK(replace_settings(host, name, after));
  // Also where nothing was changed: whoever asks for it again gets rules that are in place.
  if (auto applied = put_rules(host, name); !applied) {
    if (change.changed) CHECK(replace_settings(host, name, before));
    return std::unexpected(std::move(applied).error());
  }
  auto reloaded = reload_jail(service_of(invocation), name);
  if (!reloaded) {
    return std::unexpected(std::move(reloaded).error().in(
        "the settings are changed, the running jail has not taken them up"));
  }
  change.running = reloaded->has_value();
  if (*reloaded) change.ended_sessions = (*reloaded)->ended;
  return change;
}

Result<std::uint64_t> end_sessions(const Invocation& invocation, const std::string& name) {
  auto ended = ask_end_sessions(JailPaths(invocation.host, name), note_of_silence(invocation));
  if (ended) return ended->value_or(0);
  return std::unexpected(
      std::move(ended).error().in(fmt::format("ending the sessions of jail '{}'", name)));
}

std::string describe(const SettingsChange& change) {
  if (!change.changed) return "it was so already";
  if (!change.running) return "the jail is off";
  if (change.ended_sessions == 0) return "the running jail has taken it up";
  return fmt::format("the running jail has taken it up, {} ended",
                     count_of(change.ended_sessions, "session"));
}

}  // namespace evojail
