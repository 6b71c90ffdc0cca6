#include "store/meta_dir.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/directory.hpp"
#include "base/file.hpp"

namespace evojail {
namespace {

constexpr std::size_t record_limit = 4 << 20;
constexpr std::size_t settings_limit = 4 << 20;

/// The bytes of a file; no such file: no value.
Result<std::optional<std::string>> read_entry(int dir, const std::string& name,
                                              const std::string& path, std::size_t limit) {
  auto fd = open_at(dir, name, O_RDONLY | O_NOFOLLOW);
  if (!fd && fd.error().code() == ENOENT) return std::nullopt;
  if (!fd) return std::unexpected(std::move(fd).error());
  return read_all(fd->get(), path, limit);
}

/// A new file under a temporary name, then the rename; `sync` decides when it is on the disk.
Result<void> write_entry(int dir, const std::string& name, const std::string& path,
                         const std::string& bytes, mode_t mode, SyncSet& sync) {
  TRY(const std::string token, random_token());
  const std::string temporary = ".new-" + token;
  TRY(Fd file, open_at(dir, temporary, O_WRONLY | O_CREAT | O_EXCL, 0600));
  auto done = write_all(file.get(), path, bytes);
  if (done && ::fchmod(file.get(), mode) != 0) done = fail_errno("setting the mode of", path);
  if (done && ::renameat(dir, temporary.c_str(), dir, name.c_str()) != 0) {
    done = fail_errno("replacing", path);
  }
  if (!done) {
    ::unlinkat(dir, temporary.c_str(), 0);
    return done;
  }
  sync.add(std::move(file));
  return {};
}

/// Whether a file was mirrored after its last change, told without reading it: the copy bears its
/// time, and was made so much later that no change can have fallen into the same tick of the clock.
bool is_mirrored(int mirror, const std::string& name, const struct stat& original) {
  struct stat copy{};
  return ::fstatat(mirror, name.c_str(), &copy, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(copy.st_mode) && copy.st_size == original.st_size &&
         copy.st_mtim.tv_sec == original.st_mtim.tv_sec &&
         copy.st_mtim.tv_nsec == original.st_mtim.tv_nsec &&
         original.st_ctim.tv_sec + 2 < copy.st_ctim.tv_sec;
}

bool is_host_key(std::string_view name) {
  return name.starts_with("ssh_host_") && (name.ends_with("_key") || name.ends_with("_key.pub"));
}

}  // namespace

Result<std::optional<MetaDir>> MetaDir::open(int incs_dir, const std::string& incs_path) {
  const std::string path = incs_path + "/.meta";
  auto dir = open_subdir(incs_dir, ".meta", path);
  if (!dir && dir.error().code() == ENOENT) return std::nullopt;
  if (!dir) return std::unexpected(std::move(dir).error());
  return MetaDir(std::move(*dir), path);
}

Result<MetaDir> MetaDir::make(int incs_dir, const std::string& incs_path, SyncSet& sync) {
  const std::string path = incs_path + "/.meta";
  TRY(bool made, make_subdir(incs_dir, ".meta", 0700, path));
  TRY(Fd dir, open_subdir(incs_dir, ".meta", path));
  for (const char* name : {"incs", "manifests", "settings"}) {
    TRY(const bool made_here, make_subdir(dir.get(), name, 0700, path + "/" + name));
    made = made || made_here;
  }
  if (made) {
    TRY(Fd copy, duplicate(dir.get()));
    sync.add(std::move(copy));
  }
  return MetaDir(std::move(dir), path);
}

Result<std::optional<IncRecord>> MetaDir::read_record(const std::string& identity) const {
  const std::string name = "incs/" + identity + ".json";
  const std::string path = path_ + "/" + name;
  TRY(const auto text, read_entry(dir_.get(), name, path, record_limit));
  if (!text) return std::nullopt;
  TRY(IncRecord record, parse_inc_record(*text, path));
  if (record.identity != identity) {
    return fail(fmt::format("reading '{}': the record of another inc", path));
  }
  return record;
}

Result<void> MetaDir::write_record(const IncRecord& record, SyncSet& sync) const {
  TRY(Fd dir, open_subdir(dir_.get(), "incs", path_ + "/incs"));
  const std::string name = record.identity + ".json";
  const std::string path = path_ + "/incs/" + name;
  // Under its own name at once: nobody looks for it before its inc has a name, and a crash in
  // between is mended by what the journal knows.
  TRY(Fd file, open_at(dir.get(), name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
  CHECK(write_all(file.get(), path, format_inc_record(record)));
  sync.add(std::move(file));
  sync.add(std::move(dir));
  return {};
}

Result<void> MetaDir::forget(const std::string& identity) const {
  for (const std::string& name : {"incs/" + identity + ".json", "manifests/" + identity}) {
    CHECK(unlink_file(dir_.get(), name, path_ + "/" + name));
  }
  return {};
}

Result<std::vector<std::string>> MetaDir::records_of_none(const IncEntries& entries) const {
  constexpr std::string_view ending = ".json";
  TRY(const Fd dir, open_subdir(dir_.get(), "incs", path_ + "/incs"));
  TRY(const auto names, list_directory(dir.get(), path_ + "/incs"));
  std::vector<std::string> identities;
  for (const std::string& name : names) {
    if (!name.ends_with(ending)) continue;
    std::string identity = name.substr(0, name.size() - ending.size());
    if (!entries.has_identity(identity)) identities.push_back(std::move(identity));
  }
  return identities;
}

Result<std::map<std::string, IncRecord>> MetaDir::read_records_of_copies(
    const IncEntries& entries) const {
  std::map<std::string, IncRecord> records;
  TRY(const auto identities, records_of_none(entries));
  for (const std::string& identity : identities) {
    auto record = read_record(identity);
    if (!record || !*record) continue;
    const auto copy = entries.identities.find((*record)->inc);
    if (copy == entries.identities.end()) continue;
    if (has_entry(dir_.get(), "incs/" + copy->second + ".json", path_).value_or(true)) continue;
    records.emplace(copy->first, std::move(**record));
  }
  return records;
}

Result<void> MetaDir::forget_all_but(const IncEntries& entries) const {
  TRY(const auto copies, read_records_of_copies(entries));
  TRY(const auto identities, records_of_none(entries));
  for (const std::string& identity : identities) {
    const bool copied = std::ranges::any_of(
        copies, [&](const auto& record) { return record.second.identity == identity; });
    if (!copied) CHECK(forget(identity));
  }
  return {};
}

Result<Fd> MetaDir::open_manifests() const {
  return open_subdir(dir_.get(), "manifests", path_ + "/manifests");
}

Result<void> MetaDir::keep_manifests(const std::vector<std::string>& identities) const {
  TRY(const Fd dir, open_manifests());
  TRY(const auto names, list_directory(dir.get(), path_ + "/manifests"));
  for (const auto& name : names) {
    if (std::ranges::find(identities, name) != identities.end()) continue;
    CHECK(unlink_file(dir.get(), name, path_ + "/manifests/" + name));
  }
  return {};
}

Result<std::vector<Hold>> MetaDir::read_holds() const {
  const std::string path = path_ + "/holds.json";
  TRY(const auto text, read_entry(dir_.get(), "holds.json", path, record_limit));
  if (!text) return std::vector<Hold>();
  return parse_holds(*text, path);
}

Result<void> MetaDir::write_holds(const std::vector<Hold>& holds) const {
  return replace_file(path_ + "/holds.json", format_holds(holds), 0600);
}

Result<std::vector<Error>> MetaDir::mirror_settings(const std::string& conf_dir,
                                                    SyncSet& sync) const {
  const std::string path = path_ + "/settings";
  TRY(const Fd from, open_directory(conf_dir));
  TRY(Fd to, open_subdir(dir_.get(), "settings", path));
  TRY(const auto names, list_directory(from.get(), conf_dir));
  bool changed = false;
  std::vector<std::string> mirrored;
  std::vector<Error> unread;
  for (const auto& name : names) {
    struct stat st{};
    if (::fstatat(from.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;  // a temporary file of somebody's replace_file()
      return fail_errno("looking at", conf_dir + "/" + name);
    }
    if (!S_ISREG(st.st_mode)) continue;
    mirrored.push_back(name);
    if (is_mirrored(to.get(), name, st)) continue;
    const auto now = read_entry(from.get(), name, conf_dir + "/" + name, settings_limit);
    if (!now) {
      unread.push_back(now.error());
      continue;
    }
    TRY(const auto before, read_entry(to.get(), name, path + "/" + name, settings_limit));
    if (!*now) continue;
    if (*now != before) {
      CHECK(write_entry(to.get(), name, path + "/" + name, **now, st.st_mode & 07777, sync));
      changed = true;
    }
    // For is_mirrored() alone: without it the file is read again.
    const std::array<timespec, 2> times{timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, st.st_mtim};
    ::utimensat(to.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
  }
  TRY(const auto there, list_directory(to.get(), path));
  for (const auto& name : there) {
    if (std::ranges::find(mirrored, name) != mirrored.end()) continue;
    // A key that clients know is replaced, never taken away: the host has lost it.
    if (is_host_key(name)) continue;
    CHECK(unlink_file(to.get(), name, path + "/" + name));
    changed = true;
  }
  if (changed) sync.add(std::move(to));
  return unread;
}

bool IncEntries::has_identity(const std::string& identity) const {
  return std::ranges::any_of(identities,
                             [&](const auto& entry) { return entry.second == identity; });
}

bool is_bare_number(std::string_view identity) {
  return identity.starts_with("inode-") && identity.ends_with("-0.000000000");
}

Result<IncEntries> identify_entries(Engine& engine, int incs_dir, const std::string& incs_path) {
  TRY(const auto names, list_directory(incs_dir, incs_path));
  IncEntries entries;
  for (const std::string& name : names) {
    if (name.starts_with('.')) continue;
    auto entry = open_subdir(incs_dir, name, incs_path + "/" + name);
    if (!entry) {
      const int code = entry.error().code();
      if (code != ENOENT && code != ENOTDIR && code != ELOOP) entries.all = false;
      continue;
    }
    if (auto identity = engine.identify(entry->get())) {
      entries.identities.emplace(name, std::move(*identity));
    } else {
      entries.all = false;
    }
  }
  return entries;
}

void follow_copies(std::vector<Hold>& holds, const IncEntries& entries) {
  const auto has_hold = [&holds](const std::string& identity) {
    return std::ranges::find(holds, identity, &Hold::identity) != holds.end();
  };
  std::vector<Hold> further;
  for (Hold& hold : holds) {
    const auto copy = entries.identities.find(hold.inc);
    if (copy == entries.identities.end() || has_hold(copy->second)) continue;
    if (!entries.has_identity(hold.identity)) {
      hold.identity = copy->second;
    } else if (is_bare_number(hold.identity)) {
      further.push_back(hold);
      further.back().identity = copy->second;
    }
  }
  std::ranges::move(further, std::back_inserter(holds));
}

}  // namespace evojail
