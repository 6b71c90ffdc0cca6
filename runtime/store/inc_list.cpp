#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <set>

#include "base/directory.hpp"
#include "config/jail_name.hpp"
#include "config/layout.hpp"
#include "store/incs.hpp"
#include "store/jails.hpp"
#include "store/meta_dir.hpp"

namespace evojail {
namespace {

/// What cannot be looked at is taken for one: whoever opens it has the error.
bool is_directory(int dir, const std::string& name) {
  struct stat st{};
  if (::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return S_ISDIR(st.st_mode);
  return errno != ENOENT;
}

/// One directory of INCDIR, open for looking.
class Listing {
 public:
  static Result<std::optional<Listing>> open(const HostSettings& host, const std::string& name,
                                             ListDetail detail) {
    Listing listing;
    listing.path_ = JailPaths(host, name).incs_dir;
    auto dir = open_path(listing.path_, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (!dir && dir.error().code() == ENOENT) return std::nullopt;
    if (!dir) return std::unexpected(std::move(dir).error());
    listing.dir_ = std::move(*dir);
    TRY(listing.meta_, MetaDir::open(listing.dir_.get(), listing.path_));
    TRY(listing.engine_, make_engine(listing.dir_.get(), listing.path_));
    if (detail != ListDetail::records) CHECK(listing.read_holds());
    return listing;
  }

  Result<std::vector<IncInfo>> list(ListDetail detail) {
    TRY(const auto names, list_directory(dir_.get(), path_));
    std::vector<IncInfo> incs;
    for (const auto& name : names) {
      // .meta, and what is being built or removed.
      if (name.starts_with('.')) continue;
      if (auto info = look_at(name, detail)) incs.push_back(std::move(*info));
    }
    return incs;
  }

  /// No value: it went away while it was looked at.
  std::optional<IncInfo> look_at(const std::string& name, ListDetail detail) {
    IncInfo info;
    info.name = name;
    info.dated = is_inc_name(name);
    if (!info.dated) return info;
    if (detail == ListDetail::names && held_.empty()) {
      info.dated = is_directory(dir_.get(), name);
      return info;
    }
    auto dir = open_subdir(dir_.get(), name, path_ + "/" + name);
    const int code = dir ? 0 : dir.error().code();
    if (code == ENOENT) return std::nullopt;
    info.dated = code != ENOTDIR && code != ELOOP;
    if (!info.dated) return info;
    auto described = dir ? describe(dir->get(), detail, info)
                         : Result<void>(std::unexpected(std::move(dir).error()));
    if (!described) {
      info.trouble = std::move(described).error();
      info.complete = false;
      info.held = !held_.empty();
    }
    return info;
  }

 private:
  Listing() = default;

  Result<void> read_holds() {
    if (!meta_) return {};
    TRY(auto holds, meta_->read_holds());
    if (holds.empty()) return {};
    TRY(const auto entries, identify_entries(*engine_, dir_.get(), path_));
    follow_copies(holds, entries);
    const std::int64_t now = std::time(nullptr);
    for (const auto& hold : holds) {
      if (!hold.until || *hold.until > now) held_.insert(hold.identity);
    }
    return {};
  }

  Result<void> describe(int inc, ListDetail detail, IncInfo& info) {
    TRY(info.identity, engine_->identify(inc));
    info.held = held_.contains(info.identity);
    if (detail == ListDetail::names) return {};
    TRY(const auto locked, engine_->is_locked(inc));
    info.locked = locked.value_or(false);
    if (!meta_) return {};
    auto record = meta_->read_record(info.identity);
    if (record && !*record) record = read_record_of_copy(info.name);
    // A damaged record says nothing good about its inc, and must not keep the others from being
    // seen.
    info.complete = record && !(*record && ((*record)->partial || is_anothers(**record, info)));
    if (record) {
      info.record = std::move(*record);
    } else {
      info.record_trouble = std::move(record).error();
    }
    return {};
  }

  /// Whether the record may be that of the inc that has its name.
  bool is_anothers(const IncRecord& record, const IncInfo& info) const {
    return record.inc != info.name && is_bare_number(info.identity) &&
           has_entry(dir_.get(), record.inc, path_).value_or(true);
  }

  Result<std::optional<IncRecord>> read_record_of_copy(const std::string& name) {
    if (!of_copies_) {
      TRY(const auto entries, identify_entries(*engine_, dir_.get(), path_));
      TRY(of_copies_, meta_->read_records_of_copies(entries));
    }
    const auto found = of_copies_->find(name);
    return found == of_copies_->end() ? std::nullopt : std::optional(found->second);
  }

  Fd dir_;
  std::string path_;
  std::optional<MetaDir> meta_;
  std::optional<std::map<std::string, IncRecord>> of_copies_;
  std::unique_ptr<Engine> engine_;
  std::set<std::string> held_;
};

}  // namespace

Result<std::vector<IncInfo>> list_incs(const HostSettings& host, const std::string& name,
                                       ListDetail detail) {
  TRY(auto listing, Listing::open(host, name, detail));
  if (!listing) return std::vector<IncInfo>();
  return listing->list(detail);
}

Result<IncInfo> find_inc(const HostSettings& host, const std::string& name,
                         const std::string& inc) {
  if (is_inc_name(inc)) {
    TRY(auto listing, Listing::open(host, name, ListDetail::full));
    auto info = listing ? listing->look_at(inc, ListDetail::full) : std::nullopt;
    if (info && info->trouble) return std::unexpected(std::move(*info->trouble));
    if (info && info->dated) return std::move(*info);
  }
  return std::unexpected(Error(fmt::format("jail '{}' has no inc '{}'", name, inc))
                             .hint(fmt::format("evojail list-incs {}", name)));
}

Result<std::vector<std::string>> list_inc_owners(const HostSettings& host) {
  auto incs = open_directory(host.incdir);
  if (!incs && incs.error().code() == ENOENT) {
    TRY(const auto jails, list_jails(host));
    if (jails.empty()) return std::vector<std::string>();
    return std::unexpected(Error(fmt::format("INCDIR '{}' does not exist", host.incdir))
                               .hint("is the volume mounted?"));
  }
  if (!incs) return std::unexpected(std::move(incs).error());
  TRY(auto names, list_directory(incs->get(), host.incdir));
  std::erase_if(names, [&incs](const std::string& name) {
    return name.starts_with('.') || !is_directory(incs->get(), name);
  });
  return names;
}

}  // namespace evojail
