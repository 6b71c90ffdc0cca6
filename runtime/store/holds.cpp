#include "store/holds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/directory.hpp"
#include "config/layout.hpp"
#include "store/incs.hpp"
#include "store/meta_dir.hpp"
#include "store/recover.hpp"
#include "store/store_lock.hpp"

namespace evojail {
namespace {

using Json = nlohmann::ordered_json;

/// The jail's lock, with nothing left half-done behind it.
Result<FileLock> lock_settled(const HostSettings& host, const std::string& name,
                              const HoldWait& waits) {
  auto lock = lock_store(host, name);
  if (!lock && lock.error().kind() == ErrorKind::busy) {
    if (waits) waits(lock.error());
    lock = lock_store(host, name, FileLock::Wait::yes);
  }
  if (lock) CHECK(recover(host, name, Trash::may_stay));
  return lock;
}

/// What every change of holds works on, under the jail's lock.
struct HeldIncs {
  Fd incs_dir;
  std::unique_ptr<Engine> engine;
  MetaDir meta;
  std::vector<Hold> holds;  ///< those that still bind, of incs that are still there
};

Result<HeldIncs> open_holds(const HostSettings& host, const std::string& name) {
  const std::string path = JailPaths(host, name).incs_dir;
  auto incs_dir = open_directory(path);
  if (!incs_dir && incs_dir.error().code() == ENOENT) {
    return fail(fmt::format("jail '{}' has no incs", name));
  }
  if (!incs_dir) return std::unexpected(std::move(incs_dir).error());
  TRY(auto engine, make_engine(incs_dir->get(), path));
  SyncSet sync(*engine);
  TRY(MetaDir meta, MetaDir::make(incs_dir->get(), path, sync));
  CHECK(sync.sync());
  TRY(auto holds, meta.read_holds());
  TRY(const auto there, identify_entries(*engine, incs_dir->get(), path));
  if (there.all) follow_copies(holds, there);
  std::erase_if(holds, [&, now = std::time(nullptr)](const Hold& hold) {
    return !binds(hold, now) || (there.all && !there.has_identity(hold.identity));
  });
  return HeldIncs{std::move(*incs_dir), std::move(engine), std::move(meta), std::move(holds)};
}

Result<std::string> identify_inc(HeldIncs& incs, const std::string& name, const std::string& inc) {
  auto dir = open_subdir(incs.incs_dir.get(), inc, name + "/" + inc);
  if (!dir && dir.error().code() == ENOENT) {
    return std::unexpected(Error(fmt::format("jail '{}' has no inc '{}'", name, inc))
                               .hint(fmt::format("evojail list-incs {}", name)));
  }
  if (!dir) return std::unexpected(std::move(dir).error());
  return incs.engine->identify(dir->get());
}

auto find_hold(std::vector<Hold>& holds, const std::string& identity) {
  return std::ranges::find(holds, identity, &Hold::identity);
}

/// Of two holds on one inc both reasons stand, and the later end; none is later than any.
void extend(Hold& hold, const std::string& reason, std::optional<std::int64_t> until) {
  if (!hold.until || !until) {
    hold.until = std::nullopt;
  } else {
    hold.until = std::max(*hold.until, *until);
  }
  const std::string all = "; " + hold.reason + "; ";
  if (!all.contains("; " + reason + "; ")) hold.reason += "; " + reason;
}

Result<bool> set_inc_locked(const HostSettings& host, const std::string& name,
                            const std::string& inc, bool locked) {
  TRY(const FileLock lock, lock_store(host, name));
  CHECK(recover(host, name, Trash::may_stay));
  CHECK(find_inc(host, name, inc));
  const std::string path = JailPaths(host, name).incs_dir;
  TRY(const Fd incs_dir, open_directory(path));
  TRY(const Fd dir, open_subdir(incs_dir.get(), inc, path + "/" + inc));
  TRY(const auto engine, make_engine(incs_dir.get(), path));
  return engine->set_locked(dir.get(), locked);
}

}  // namespace

bool binds(const Hold& hold, std::int64_t now) { return !hold.until || *hold.until > now; }

std::string format_holds(const std::vector<Hold>& holds) {
  Json list = Json::array();
  for (const auto& hold : holds) {
    list.push_back({{"identity", hold.identity},
                    {"inc", hold.inc},
                    {"reason", hold.reason},
                    {"made", hold.made},
                    {"until", hold.until ? Json(*hold.until) : Json(nullptr)}});
  }
  const Json json{{"schema_version", 1}, {"holds", std::move(list)}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<std::vector<Hold>> parse_holds(const std::string& text, const std::string& file) {
  try {
    const Json json = Json::parse(text);
    if (json.at("schema_version").get<int>() != 1) {
      return fail(fmt::format("reading '{}': written by another version", file));
    }
    std::vector<Hold> holds;
    for (const auto& entry : json.at("holds")) {
      Hold hold;
      hold.identity = entry.at("identity").get<std::string>();
      hold.inc = entry.at("inc").get<std::string>();
      hold.reason = entry.at("reason").get<std::string>();
      hold.made = entry.at("made").get<std::int64_t>();
      if (!entry.at("until").is_null()) hold.until = entry.at("until").get<std::int64_t>();
      holds.push_back(std::move(hold));
    }
    return holds;
  } catch (const Json::exception&) {
    return std::unexpected(
        Error(fmt::format("the holds in '{}' are damaged", file))
            .hint("no inc of the jail goes until they can be read: put the file back from a copy, "
                  "or remove it and hold again what is to stay (evojail inc-hold)"));
  }
}

Result<std::vector<Hold>> list_holds(const HostSettings& host, const std::string& name) {
  const std::string path = JailPaths(host, name).incs_dir;
  auto incs_dir = open_directory(path);
  if (!incs_dir && incs_dir.error().code() == ENOENT) return std::vector<Hold>();
  if (!incs_dir) return std::unexpected(std::move(incs_dir).error());
  TRY(const auto meta, MetaDir::open(incs_dir->get(), path));
  if (!meta) return std::vector<Hold>();
  TRY(auto holds, meta->read_holds());
  if (holds.empty()) return holds;
  TRY(const auto engine, make_engine(incs_dir->get(), path));
  TRY(const auto there, identify_entries(*engine, incs_dir->get(), path));
  follow_copies(holds, there);
  std::erase_if(holds, [now = std::time(nullptr)](const Hold& hold) { return !binds(hold, now); });
  return holds;
}

Result<Hold> hold_inc(const HostSettings& host, const std::string& name, const std::string& inc,
                      const std::string& reason, std::optional<std::int64_t> until,
                      const HoldWait& waits) {
  if (reason.empty() || reason.contains('\n')) return fail("a hold needs a reason of one line");
  TRY(const FileLock lock, lock_settled(host, name, waits));
  TRY(HeldIncs incs, open_holds(host, name));
  TRY(const std::string identity, identify_inc(incs, name, inc));
  const Hold hold{.identity = identity,
                  .inc = inc,
                  .reason = reason,
                  .made = std::time(nullptr),
                  .until = until};
  auto found = find_hold(incs.holds, identity);
  if (found != incs.holds.end()) {
    extend(*found, reason, until);
  } else {
    found = incs.holds.insert(incs.holds.end(), hold);
  }
  CHECK(incs.meta.write_holds(incs.holds));
  return *found;
}

Result<std::size_t> hold_all_incs(const HostSettings& host, const std::string& name,
                                  const std::string& reason, std::optional<std::int64_t> until,
                                  const HoldWait& waits) {
  if (reason.empty() || reason.contains('\n')) return fail("a hold needs a reason of one line");
  TRY(const FileLock lock, lock_settled(host, name, waits));
  // A jail may have no incs yet, but then they have a place.
  CHECK(open_directory(host.incdir));
  TRY(const auto list, list_incs(host, name, ListDetail::names));
  if (std::ranges::none_of(list, &IncInfo::dated)) return 0;
  TRY(HeldIncs incs, open_holds(host, name));
  std::size_t held = 0;
  for (const auto& info : list) {
    if (!info.dated) continue;
    TRY(const std::string identity, identify_inc(incs, name, info.name));
    ++held;
    if (const auto found = find_hold(incs.holds, identity); found != incs.holds.end()) {
      extend(*found, reason, until);
      continue;
    }
    incs.holds.push_back({.identity = identity,
                          .inc = info.name,
                          .reason = reason,
                          .made = std::time(nullptr),
                          .until = until});
  }
  CHECK(incs.meta.write_holds(incs.holds));
  return held;
}

Result<void> release_inc(const HostSettings& host, const std::string& name, const std::string& inc,
                         const HoldWait& waits) {
  TRY(const FileLock lock, lock_settled(host, name, waits));
  TRY(HeldIncs incs, open_holds(host, name));
  TRY(const std::string identity, identify_inc(incs, name, inc));
  const auto found = find_hold(incs.holds, identity);
  if (found == incs.holds.end()) {
    return std::unexpected(Error(fmt::format("inc '{}/{}' is not held", name, inc))
                               .hint(fmt::format("'evojail list-incs {}' shows which are", name)));
  }
  incs.holds.erase(found);
  return incs.meta.write_holds(incs.holds);
}

Result<bool> lock_inc(const HostSettings& host, const std::string& name, const std::string& inc) {
  return set_inc_locked(host, name, inc, true);
}

Result<bool> unlock_inc(const HostSettings& host, const std::string& name, const std::string& inc) {
  return set_inc_locked(host, name, inc, false);
}

}  // namespace evojail
