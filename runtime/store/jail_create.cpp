#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/directory.hpp"
#include "base/file.hpp"
#include "config/jail_name.hpp"
#include "config/layout.hpp"
#include "store/host_check.hpp"
#include "store/incs.hpp"
#include "store/jails.hpp"
#include "store/moves.hpp"
#include "store/recover.hpp"
#include "store/store_lock.hpp"
#include "store/tree_engine.hpp"

namespace evojail {
namespace {

struct NewDir {
  const char* path;
  mode_t mode;
};

// What a client finds before its first push. var/backup is where data/ is mounted a second time.
constexpr std::array<NewDir, 5> new_dirs{
    {{"data", 0700}, {"var", 0755}, {"var/log", 0755}, {"var/backup", 0700}, {"var/tmp", 01777}}};

}  // namespace

Result<void> check_unused(const HostSettings& host, const std::string& name) {
  const JailPaths paths(host, name);
  if (path_exists(paths.conf)) return fail(fmt::format("jail '{}' exists already", name));
  const auto leftover = [&](const std::string& path, std::string_view hint) {
    return std::unexpected(
        Error(fmt::format("there is no jail '{}', but '{}' exists", name, path)).hint(hint));
  };
  if (path_exists(paths.conf_dir)) {
    return leftover(paths.conf_dir, path_exists(paths.archive_dir)
                                        ? "the jail is archived; evojail(8) says how it comes back "
                                          "or goes for good: TAKING BACK, TAKING LEAVE"
                                        : "move it away, or choose another name");
  }
  if (path_exists(paths.jail_dir)) {
    return leftover(paths.jail_dir, "move it away, or choose another name");
  }
  if (path_exists(paths.incs_dir)) {
    return leftover(paths.incs_dir,
                    "these are incs of an earlier jail: move them away, or choose another name");
  }
  return {};
}

namespace {

Result<void> make_data(Engine& engine, int jails, const std::string& temporary,
                       const std::string& path, SyncSet& sync) {
  CHECK(engine.make_jail_dir(jails, temporary));
  TRY(Fd dir, open_subdir(jails, temporary, path));
  for (const auto& wanted : new_dirs) {
    CHECK(make_subdir(dir.get(), wanted.path, wanted.mode, path + "/" + wanted.path));
  }
  if (!engine.syncs_volume()) {
    for (const char* inner : {"data", "var"}) {
      TRY(Fd fd, open_subdir(dir.get(), inner, path + "/" + inner));
      sync.add(std::move(fd));
    }
  }
  sync.add(std::move(dir));
  return {};
}

Result<void> make_settings(int confs, const std::string& temporary, const std::string& path,
                           const NewJail& jail) {
  TRY(const bool made, make_subdir(confs, temporary, 0700, path));
  if (!made) return fail_errno("making directory", path, EEXIST);
  TRY(const Fd dir, open_subdir(confs, temporary, path));
  std::vector<SettingsFile> files = jail.files;
  files.push_back({"jail.conf", jail.settings, 0640});
  if (!jail.incs_policy.empty()) files.push_back({"incs_policy", jail.incs_policy, 0640});
  if (!jail.check_policy.empty()) files.push_back({"check_policy", jail.check_policy, 0640});
  std::vector<Fd> written;
  for (const auto& file : files) {
    const std::string file_path = path + "/" + file.name;
    TRY(Fd fd, open_at(dir.get(), file.name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
    CHECK(write_all(fd.get(), file_path, file.bytes));
    if (::fchmod(fd.get(), file.mode) != 0) return fail_errno("setting the mode of", file_path);
    // Begun for all before any is waited for: one commit of the file system's journal takes them
    // all.
    ::sync_file_range(fd.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    written.push_back(std::move(fd));
  }
  for (const Fd& fd : written) CHECK(sync_fd(fd.get(), path));
  return sync_fd(dir.get(), path);
}

Result<void> check_file_names(const NewJail& jail) {
  for (const auto& file : jail.files) {
    if (file.name.empty() || file.name.starts_with('.') || file.name.contains('/')) {
      return fail(fmt::format("'{}' is no name of a settings file", file.name));
    }
  }
  return {};
}

/// The settings last: with them the jail is there.
Result<void> give_names(const HostSettings& host, const std::string& name,
                        const JournalEntry& entry, int jails, int confs) {
  const JailPaths paths(host, name);
  CHECK(rename_new(jails, entry.new_name(), jails, name, paths.jail_dir));
  CHECK(sync_fd(jails, host.jaildir));
  CHECK(rename_new(confs, entry.new_name(), confs, name + ".d", paths.conf_dir));
  auto synced = sync_fd(confs, host.confdir);
  if (synced) return {};
  // It may not be on the disk: then it must not look as if it were.
  CHECK(rename_new(confs, name + ".d", confs, entry.new_name(), paths.conf_dir));
  return synced;
}

Result<void> build(const HostSettings& host, const std::string& name, const NewJail& jail,
                   const JournalEntry& entry) {
  const JailPaths paths(host, name);
  TRY(const Fd jails, open_directory(host.jaildir));
  TRY(const Fd confs, open_directory(host.confdir));
  TRY(const auto engine, make_engine(jails.get(), host.jaildir));
  SyncSet sync(*engine);
  CHECK(make_data(*engine, jails.get(), entry.new_name(), paths.jail_dir, sync));
  CHECK(make_settings(confs.get(), entry.new_name(), paths.conf_dir, jail));
  CHECK(sync.sync());
  return give_names(host, name, entry, jails.get(), confs.get());
}

/// Whether a directory is a jail's as make_data() left it: what people brought under its name since
/// the creation was cut short is theirs.
bool is_new(int jails, const std::string& name) {
  std::vector<std::string> paths{name};
  for (const NewDir& made : new_dirs) paths.push_back(name + "/" + made.path);
  for (const std::string& path : paths) {
    const auto dir = open_subdir(jails, path, path);
    const auto names = dir ? list_directory(dir->get(), path) : Result<std::vector<std::string>>();
    if (!dir || !names) return false;
    const bool known = std::ranges::all_of(*names, [&](const std::string& entry) {
      return std::ranges::find(paths, path + "/" + entry) != paths.end();
    });
    if (!known) return false;
  }
  return true;
}

}  // namespace

Result<bool> settle_create(const HostSettings& host, const std::string& name,
                           const JournalEntry& entry) {
  const JailPaths paths(host, name);
  TRY(const Fd jails, open_directory(host.jaildir));
  TRY(const Fd confs, open_directory(host.confdir));
  const std::string temporary = entry.new_name();
  TRY(const bool settings, has_entry(confs.get(), temporary, host.confdir));
  TRY(bool data, has_entry(jails.get(), temporary, host.jaildir));
  if (settings && !data && is_new(jails.get(), name)) {
    // The data had got its name. Back, so that from here on one case is left.
    CHECK(rename_new(jails.get(), name, jails.get(), temporary, paths.jail_dir));
    CHECK(sync_fd(jails.get(), host.jaildir));
    data = true;
  }
  CHECK(remove_plain_tree(confs.get(), temporary, {}));
  if (data) {
    TRY(const auto engine, make_engine(jails.get(), host.jaildir));
    CHECK(engine->remove(jails.get(), temporary, {}));
  }
  return has_settings(host, name);
}

Result<void> create_jail(const HostSettings& host, const std::string& name, const NewJail& jail) {
  CHECK(parse_jail_name(name));
  CHECK(parse_jail_settings(jail.settings, JailPaths(host, name).conf));
  CHECK(check_file_names(jail));
  CHECK(check_store(host));
  if (!path_exists(host.confdir)) {
    CHECK(make_directories(host.confdir, 0755));
  }
  TRY(const FileLock lock, lock_store(host, name));
  CHECK(recover(host, name));
  CHECK(check_unused(host, name));

  TRY(const JournalDir journal, JournalDir::open(host));
  JournalEntry entry;
  entry.operation = JournalEntry::Operation::create;
  TRY(entry.token, random_token());
  CHECK(begin_operation(journal, name, entry));
  auto done = build(host, name, jail, entry);
  if (!done) {
    // An error here leaves the journal, and with it the work, to the next operation.
    CHECK(settle_create(host, name, entry));
  }
  CHECK(journal.clear(name));
  if (!done) {
    return std::unexpected(std::move(done).error().in(fmt::format("making jail '{}'", name)));
  }
  return {};
}

}  // namespace evojail
