#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <vector>

#include "base/directory.hpp"
#include "config/layout.hpp"
#include "store/meta_dir.hpp"
#include "store/moves.hpp"

namespace evojail {
namespace {

/// INCDIR/NAME, if it is there.
Result<std::optional<Fd>> open_incs_dir(const std::string& path) {
  auto dir = open_path(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!dir && dir.error().code() == ENOENT) return std::nullopt;
  if (!dir) return std::unexpected(std::move(dir).error());
  return std::move(*dir);
}

/// Removes an entry's record and manifest, if it can be read.
Result<void> forget(Engine& engine, const MetaDir& meta, int incs_dir, const std::string& name,
                    const std::string& path) {
  const auto dir = open_subdir(incs_dir, name, path + "/" + name);
  if (!dir) return {};
  TRY(const std::string identity, engine.identify(dir->get()));
  return meta.forget(identity);
}

Result<void> discard_build(Engine& engine, int incs_dir, const std::string& path,
                           const JournalEntry& entry) {
  const std::string temporary = entry.new_name();
  TRY(const auto meta, MetaDir::open(incs_dir, path));
  TRY(const bool there, has_entry(incs_dir, temporary, path));
  if (there) {
    if (meta) CHECK(forget(engine, *meta, incs_dir, temporary, path));
    if (!engine.remove(incs_dir, temporary, {})) {
      // Out of the way of the next one, which must be taken all the same.
      CHECK(rename_new(incs_dir, temporary, incs_dir,
                       unused_trash_name(incs_dir, entry, entry.subject), path + "/" + temporary));
    }
  }
  if (!meta) return {};
  auto manifests = meta->open_manifests();
  if (!manifests && manifests.error().code() == ENOENT) return {};
  if (!manifests) return std::unexpected(std::move(manifests).error());
  return unlink_file(manifests->get(), temporary, path);
}

/// The inc has its name, and was on the disk before it got that; its record may not have been.
Result<void> complete_inc(Engine& engine, int incs_dir, const std::string& path,
                          const JournalEntry& entry) {
  TRY(const Fd inc, open_subdir(incs_dir, entry.subject, path + "/" + entry.subject));
  TRY(const std::string identity, engine.identify(inc.get()));
  SyncSet sync(engine);
  TRY(const MetaDir meta, MetaDir::make(incs_dir, path, sync));
  const auto record = meta.read_record(identity);
  if (!record || !*record) {
    IncRecord rebuilt;
    rebuilt.identity = identity;
    rebuilt.inc = entry.subject;
    rebuilt.engine = engine.name();
    rebuilt.began = entry.began;
    rebuilt.partial = entry.partial;
    if (entry.partial) {
      rebuilt.troubles.emplace_back("not known: its record was lost with the machine's power");
    }
    CHECK(meta.write_record(rebuilt, sync));
  }
  TRY(Fd manifests, meta.open_manifests());
  TRY(const bool unnamed, has_entry(manifests.get(), entry.new_name(), path));
  if (unnamed) {
    if (::renameat(manifests.get(), entry.new_name().c_str(), manifests.get(), identity.c_str()) !=
        0) {
      return fail_errno("renaming", path + "/.meta/manifests/" + entry.new_name());
    }
    sync.add(std::move(manifests));
  }
  TRY(Fd own, duplicate(incs_dir));
  sync.add(std::move(own));
  return sync.sync();
}

/// Holds that cannot be read are some.
bool has_holds(int incs_dir, const std::string& path) {
  const auto meta = MetaDir::open(incs_dir, path);
  if (!meta) return true;
  if (!*meta) return false;
  const auto holds = (*meta)->read_holds();
  return !holds || std::ranges::any_of(*holds, [now = std::time(nullptr)](const Hold& hold) {
    return binds(hold, now);
  });
}

}  // namespace

Result<bool> settle_inc(const HostSettings& host, const std::string& name,
                        const JournalEntry& entry) {
  const std::string path = JailPaths(host, name).incs_dir;
  TRY(const auto dir, open_incs_dir(path));
  if (!dir) return false;
  TRY(const auto engine, make_engine(dir->get(), path));
  TRY(const bool built, has_entry(dir->get(), entry.new_name(), path));
  TRY(const bool named, has_entry(dir->get(), entry.subject, path));
  if (!built && named) {
    CHECK(complete_inc(*engine, dir->get(), path, entry));
    return true;
  }
  CHECK(discard_build(*engine, dir->get(), path, entry));
  SyncSet sync(*engine);
  TRY(Fd own, duplicate(dir->get()));
  sync.add(std::move(own));
  CHECK(sync.sync());
  CHECK(drop_empty_incs_dir(host, name));
  return false;
}

std::string unused_trash_name(int incs_dir, const JournalEntry& entry, const std::string& inc) {
  std::string name = entry.trash_name(inc);
  for (unsigned number = 2; entry_exists(incs_dir, name); ++number) {
    name = fmt::format("{}.{}", entry.trash_name(inc), number);
  }
  return name;
}

Result<void> empty_inc_trash(const HostSettings& host, const std::string& name,
                             const JournalEntry& entry, const RemoveProgress& progress) {
  const std::string path = JailPaths(host, name).incs_dir;
  TRY(const auto dir, open_incs_dir(path));
  if (!dir) return {};
  TRY(const auto engine, make_engine(dir->get(), path));
  TRY(const auto meta, MetaDir::open(dir->get(), path));
  TRY(const auto names, list_directory(dir->get(), path));
  const std::string prefix = entry.trash_name("");
  // What can go goes, whatever stays.
  Result<void> first;
  for (const auto& trash : names) {
    if (!trash.starts_with(prefix)) continue;
    auto gone = meta ? forget(*engine, *meta, dir->get(), trash, path) : Result<void>();
    if (gone) gone = engine->remove(dir->get(), trash, progress);
    if (!gone && first) first = std::move(gone);
  }
  return first;
}

Result<void> drop_empty_incs_dir(const HostSettings& host, const std::string& name, Held held) {
  const std::string path = JailPaths(host, name).incs_dir;
  TRY(const Fd incs, open_directory(host.incdir));
  {
    TRY(const auto dir, open_incs_dir(path));
    if (!dir) return {};
    TRY(const auto names, list_directory(dir->get(), path));
    if (!names.empty() && names != std::vector<std::string>{".meta"}) return {};
    if (held == Held::stays && has_holds(dir->get(), path)) return {};
    TRY(const auto engine, make_engine(dir->get(), path));
    CHECK(engine->remove(dir->get(), ".meta", {}));
  }
  if (::unlinkat(incs.get(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    return fail_errno("removing", path);
  }
  return {};
}

}  // namespace evojail
