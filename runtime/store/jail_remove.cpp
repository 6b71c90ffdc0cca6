#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/directory.hpp"
#include "base/file.hpp"
#include "config/jail_name.hpp"
#include "config/layout.hpp"
#include "kernel/firewall.hpp"
#include "store/incs.hpp"
#include "store/jails.hpp"
#include "store/moves.hpp"
#include "store/recover.hpp"
#include "store/store_lock.hpp"
#include "store/tree_engine.hpp"
#include "store/uid_lease.hpp"

namespace evojail {
namespace {

Result<void> trash_data(const HostSettings& host, const std::string& name,
                        const JournalEntry& entry) {
  TRY(const Fd jails, open_directory(host.jaildir));
  TRY(const bool there, has_entry(jails.get(), name, host.jaildir));
  if (!there) return {};
  const std::string path = JailPaths(host, name).jail_dir;
  CHECK(rename_new(jails.get(), name, jails.get(), entry.trash_name(), path));
  return sync_fd(jails.get(), host.jaildir);
}

Result<void> trash_incs(const HostSettings& host, const std::string& name,
                        const JournalEntry& entry) {
  const std::string path = JailPaths(host, name).incs_dir;
  TRY(const auto incs, list_incs(host, name, ListDetail::names));
  if (incs.empty()) return {};
  TRY(const Fd dir, open_directory(path));
  for (const auto& inc : incs) {
    if (!inc.dated) continue;
    CHECK(rename_new(dir.get(), inc.name, dir.get(), entry.trash_name(inc.name),
                     path + "/" + inc.name));
  }
  return sync_fd(dir.get(), path);
}

Result<void> remove_data(const HostSettings& host, const JournalEntry& entry,
                         const RemoveProgress& progress) {
  TRY(const Fd jails, open_directory(host.jaildir));
  TRY(const auto engine, make_engine(jails.get(), host.jaildir));
  CHECK(engine->remove(jails.get(), entry.trash_name(), progress));
  SyncSet sync(*engine);
  TRY(Fd incs, open_directory(host.incdir));
  sync.add(std::move(incs));
  TRY(Fd own, duplicate(jails.get()));
  sync.add(std::move(own));
  return sync.sync();
}

Result<void> remove_settings(const HostSettings& host, const std::string& name,
                             const JournalEntry& entry) {
  TRY(const Fd confs, open_directory(host.confdir));
  const JailPaths paths(host, name);
  TRY(const bool there, has_entry(confs.get(), name + ".d", host.confdir));
  if (there) {
    CHECK(rename_new(confs.get(), name + ".d", confs.get(), entry.trash_name(), paths.conf_dir));
    CHECK(sync_fd(confs.get(), host.confdir));
  }
  return remove_plain_tree(confs.get(), entry.trash_name(), {});
}

/// A jail without data may go. Where JAILDIR has nobody's, its volume is not mounted: the data
/// would lose their settings and keys, and keep their name and place.
Result<void> check_volume_mounted(const HostSettings& host, const std::string& name) {
  const auto there = check_has_data(host, name);
  if (there) return {};
  TRY(const Fd jails, open_directory(host.jaildir));
  TRY(const auto names, list_directory(jails.get(), host.jaildir));
  const bool empty =
      std::ranges::all_of(names, [](const std::string& other) { return other.starts_with('.'); });
  if (!empty) return {};
  return std::unexpected(
      Error(there.error().message())
          .hint(fmt::format("is the volume mounted? If it is, only settings are left: rm -r {}",
                            JailPaths(host, name).conf_dir)));
}

Result<void> check_not_held(const HostSettings& host, const std::string& name) {
  TRY(const auto incs, list_incs(host, name, ListDetail::names));
  std::string held;
  for (const auto& inc : incs) {
    if (inc.held) held += (held.empty() ? "" : ", ") + inc.name;
  }
  if (held.empty()) return {};
  return std::unexpected(Error(fmt::format("incs of jail '{}' are held: {}", name, held))
                             .hint(fmt::format("evojail inc-release {}/INC", name)));
}

}  // namespace

Result<void> carry_out_remove(const HostSettings& host, const std::string& name,
                              const JournalEntry& entry, const RemoveProgress& progress) {
  // Names first, all of them, then what takes time; the settings last, so that a jail whose removal
  // was cut short is still listed and can be removed again.
  CHECK(trash_data(host, name, entry));
  CHECK(trash_incs(host, name, entry));
  CHECK(empty_inc_trash(host, name, entry, progress));
  CHECK(drop_empty_incs_dir(host, name, Held::goes));
  CHECK(remove_data(host, entry, progress));
  // Rules that outlive the lease or the settings would stand in the way of the next jail.
  CHECK(Firewall(host.firewall_table).remove(name));
  CHECK(release_uid_range(host, name));
  TRY(const bool run_before, has_path(host.rundir + "/" + name));
  if (run_before) {
    TRY(const Fd run, open_directory(host.rundir));
    CHECK(remove_plain_tree(run.get(), name, {}));
  }
  return remove_settings(host, name, entry);
}

Result<std::vector<std::string>> remove_jail(const HostSettings& host, const std::string& name,
                                             bool force, const RemoveProgress& progress) {
  CHECK(parse_jail_name(name));
  TRY(const FileLock lock, lock_store(host, name));
  TRY(const Recovery recovery, recover(host, name));
  const bool resumed = recovery.outcome == Recovered::finished &&
                       recovery.entry.operation == JournalEntry::Operation::remove;
  if (!resumed) {
    if (auto jail = load_jail_text(host, name); !jail) {
      if (force && jail.error().kind() == ErrorKind::no_such_jail) {
        return std::vector<std::string>();
      }
      return std::unexpected(std::move(jail).error());
    }
    TRY(const FileLock stopped, lock_stopped(host, name));
    CHECK(check_volume_mounted(host, name));
    CHECK(check_not_held(host, name));
    TRY(const JournalDir journal, JournalDir::open(host));
    JournalEntry entry;
    entry.operation = JournalEntry::Operation::remove;
    TRY(entry.token, random_token());
    CHECK(begin_operation(journal, name, entry));
    auto done = carry_out_remove(host, name, entry, progress);
    if (!done) {
      return std::unexpected(
          std::move(done)
              .error()
              .in(fmt::format("removing jail '{}'", name))
              .hint(fmt::format("the removal goes on with: evojail remove {}", name)));
    }
    CHECK(journal.clear(name));
  }
  std::vector<std::string> left;
  TRY(const auto incs, list_incs(host, name, ListDetail::names));
  for (const auto& inc : incs) left.push_back(inc.name);
  return left;
}

}  // namespace evojail
