#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/directory.hpp"
#include "base/file.hpp"
#include "config/jail_name.hpp"
#include "config/layout.hpp"
#include "kernel/firewall.hpp"
#include "store/host_check.hpp"
#include "store/jails.hpp"
#include "store/moves.hpp"
#include "store/recover.hpp"
#include "store/store_lock.hpp"
#include "store/tree_engine.hpp"
#include "store/uid_lease.hpp"

namespace evojail {
namespace {

// What stays in CONFDIR/NAME.d, for the incs that stay: how they are thinned and checked.
constexpr std::array<std::string_view, 2> staying{"incs_policy", "check_policy"};

/// Settings and keys beside data/ and var/, in the jail's directory, which is root's own.
Result<void> copy_settings(const JailPaths& paths) {
  TRY(const Fd jail, open_path(paths.jail_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const std::string target = paths.jail_dir + "/settings";
  CHECK(make_subdir(jail.get(), "settings", 0700, target));
  TRY(const Fd from, open_directory(paths.conf_dir));
  TRY(const auto names, list_directory(from.get(), paths.conf_dir));
  for (const auto& name : names) {
    struct stat st{};
    const std::string path = paths.conf_dir + "/" + name;
    if (::fstatat(from.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno("looking at", path);
    }
    if (!S_ISREG(st.st_mode)) continue;
    TRY(const std::string bytes, read_file(path));
    CHECK(replace_file(target + "/" + name, bytes, st.st_mode & 07777));
  }
  return sync_fd(jail.get(), paths.jail_dir);
}

Result<void> move_data(const HostSettings& host, const std::string& name) {
  TRY(const Fd jails, open_directory(host.jaildir));
  TRY(const Fd archives, open_directory(host.archivesdir));
  CHECK(rename_new(jails.get(), name, archives.get(), name, JailPaths(host, name).jail_dir));
  CHECK(sync_fd(archives.get(), host.archivesdir));
  return sync_fd(jails.get(), host.jaildir);
}

/// jail.conf first: from then on there is no such jail.
Result<void> drop_settings(const HostSettings& host, const JailPaths& paths) {
  auto dir = open_directory(paths.conf_dir);
  if (!dir && dir.error().code() == ENOENT) return {};
  if (!dir) return std::unexpected(std::move(dir).error());
  CHECK(unlink_file(dir->get(), "jail.conf", paths.conf));
  CHECK(sync_fd(dir->get(), paths.conf_dir));
  TRY(const auto names, list_directory(dir->get(), paths.conf_dir));
  bool empty = true;
  for (const auto& name : names) {
    const std::string path = paths.conf_dir + "/" + name;
    struct stat st{};
    if (std::ranges::find(staying, name) != staying.end() ||
        ::fstatat(dir->get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(st.st_mode)) {
      empty = false;
      continue;
    }
    CHECK(unlink_file(dir->get(), name, path));
  }
  if (empty && ::rmdir(paths.conf_dir.c_str()) != 0) {
    return fail_errno("removing", paths.conf_dir);
  }
  TRY(const Fd confs, open_directory(host.confdir));
  return sync_fd(confs.get(), host.confdir);
}

Result<void> check_archives(const HostSettings& host, const std::string& name) {
  TRY(const StoreFacts facts, inspect_store(host));
  if (facts.archives_apart) {
    return std::unexpected(
        Error(fmt::format("ARCHIVESDIR '{}' is not on the mount of JAILDIR '{}'", host.archivesdir,
                          host.jaildir))
            .hint("a jail is archived by renaming it: set both below one mount"));
  }
  const std::string path = JailPaths(host, name).archive_dir;
  if (path_exists(path)) return fail(fmt::format("'{}' exists already", path));
  return {};
}

/// Where the data have not moved, nothing has but the copies of the settings. @return whether the
/// jail is what it was.
Result<bool> undo_archive(const HostSettings& host, const std::string& name) {
  TRY(const Fd jails, open_directory(host.jaildir));
  TRY(const Fd archives, open_directory(host.archivesdir));
  TRY(const bool here, has_entry(jails.get(), name, host.jaildir));
  TRY(const bool moved, has_entry(archives.get(), name, host.archivesdir));
  if (!here || moved) return false;
  const std::string path = JailPaths(host, name).jail_dir;
  TRY(const Fd jail, open_subdir(jails.get(), name, path));
  CHECK(remove_plain_tree(jail.get(), "settings", {}));
  CHECK(sync_fd(jail.get(), path));
  return true;
}

}  // namespace

Result<void> carry_out_archive(const HostSettings& host, const std::string& name) {
  const JailPaths paths(host, name);
  CHECK(check_has_data_in_either(host.jaildir, name, host.archivesdir, name));
  TRY(const Fd jails, open_directory(host.jaildir));
  TRY(const bool there, has_entry(jails.get(), name, host.jaildir));
  if (there) {
    CHECK(copy_settings(paths));
    CHECK(move_data(host, name));
  }
  // Rules that outlive the lease or the settings would stand in the way of the next jail.
  CHECK(Firewall(host.firewall_table).remove(name));
  CHECK(drop_settings(host, paths));
  return release_uid_range(host, name);
}

Result<void> archive_jail(const HostSettings& host, const std::string& name) {
  CHECK(parse_jail_name(name));
  TRY(const FileLock lock, lock_store(host, name));
  TRY(const Recovery recovery, recover(host, name));
  if (recovery.outcome == Recovered::finished &&
      recovery.entry.operation == JournalEntry::Operation::archive) {
    return {};
  }
  CHECK(load_jail_text(host, name));
  CHECK(check_has_data(host, name));
  TRY(const FileLock stopped, lock_stopped(host, name));
  CHECK(check_store(host));
  CHECK(check_archives(host, name));
  TRY(const JournalDir journal, JournalDir::open(host));
  JournalEntry entry;
  entry.operation = JournalEntry::Operation::archive;
  TRY(entry.token, random_token());
  CHECK(begin_operation(journal, name, entry));
  auto done = carry_out_archive(host, name);
  if (done) return journal.clear(name);
  const auto as_before = undo_archive(host, name);
  const bool undone = as_before && *as_before && journal.clear(name);
  return std::unexpected(std::move(done)
                             .error()
                             .in(fmt::format("archiving jail '{}'", name))
                             .hint(undone
                                       ? "nothing of it was done"
                                       : fmt::format("it goes on with: evojail archive {}", name)));
}

}  // namespace evojail
