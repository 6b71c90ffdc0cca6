#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/directory.hpp"
#include "config/jail_name.hpp"
#include "config/layout.hpp"
#include "store/engine.hpp"
#include "store/incs.hpp"
#include "store/journal.hpp"
#include "store/meta_dir.hpp"
#include "store/moves.hpp"
#include "store/recover.hpp"
#include "store/store_lock.hpp"

namespace evojail {
namespace {

/// Removes the incs of one directory after the other.
class Removing {
 public:
  Removing(const HostSettings& host, std::size_t total, const RemovalProgressCallback& progress)
      : host_(host), total_(total), progress_(progress) {}

  Result<void> open() {
    TRY(incs_, open_directory(host_.incdir));
    TRY(engine_, make_engine(incs_.get(), host_.incdir));
    return {};
  }

  /// Works on one directory; `outcomes` is as long as its list of incs.
  Result<void> remove(const IncRemoval& removal, std::span<RemovalOutcome> outcomes);
  Result<void> sync() {
    const int fd = incs_.get();
    return engine_->syncs_volume() ? engine_->sync({&fd, 1}) : Result<void>();
  }

 private:
  Result<std::vector<std::size_t>> choose(const std::string& owner,
                                          std::span<RemovalOutcome> outcomes);
  std::vector<std::size_t> split_lengthy(int dir, const std::string& path,
                                         std::vector<std::size_t>& doomed,
                                         std::span<RemovalOutcome> outcomes);
  Result<void> remove_at_once(int dir, const std::string& path,
                              const std::vector<std::size_t>& doomed,
                              std::span<RemovalOutcome> outcomes);
  Result<void> remove_by_trash(int dir, const std::string& path, const std::string& owner,
                               const Recovery& recovery, const std::vector<std::size_t>& doomed,
                               std::span<RemovalOutcome> outcomes);
  Result<void> forget_the_gone(int dir, const std::string& path);
  void report(std::string_view owner, std::size_t gone) {
    done_ += gone;
    if (progress_) progress_({.owner = owner, .done = done_, .total = total_});
  }

  const HostSettings& host_;
  const std::size_t total_;
  const RemovalProgressCallback& progress_;
  Fd incs_;
  std::unique_ptr<Engine> engine_;
  std::size_t done_ = 0;
};

/// The indexes of what is there, dated and not held; the others have their outcome with this.
Result<std::vector<std::size_t>> Removing::choose(const std::string& owner,
                                                  std::span<RemovalOutcome> outcomes) {
  TRY(const auto incs, list_incs(host_, owner, ListDetail::names));
  std::vector<std::size_t> doomed;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    RemovalOutcome& outcome = outcomes[i];
    const auto inc = std::ranges::find(incs, outcome.inc, &IncInfo::name);
    if (inc == incs.end()) {
      outcome.status = RemovalStatus::missing;
    } else if (!inc->dated) {
      outcome.error = Error(fmt::format("'{}/{}' is not named like an inc", owner, outcome.inc));
    } else if (inc->held) {
      outcome.status = RemovalStatus::held;
    } else {
      doomed.push_back(i);
    }
  }
  return doomed;
}

/// Takes those that do not go in one step out of `doomed`.
/// @return them.
std::vector<std::size_t> Removing::split_lengthy(int dir, const std::string& path,
                                                 std::vector<std::size_t>& doomed,
                                                 std::span<RemovalOutcome> outcomes) {
  std::vector<std::size_t> lengthy;
  for (const std::size_t i : doomed) {
    const std::string& name = outcomes[i].inc;
    const auto ask = [&]() -> Result<bool> {
      TRY(const Fd inc, open_subdir(dir, name, path + "/" + name));
      return engine_->removes_in_one_step(inc.get());
    };
    auto at_once = ask();
    if (!at_once) {
      // It keeps its name: what cannot be read cannot be emptied.
      outcomes[i].error = std::move(at_once).error();
    } else if (!*at_once) {
      lengthy.push_back(i);
    }
  }
  std::erase_if(doomed, [&](std::size_t i) {
    return outcomes[i].error || std::ranges::binary_search(lengthy, i);
  });
  return lengthy;
}

/// Where removing an inc is one step of the file system, it needs no journal.
Result<void> Removing::remove_at_once(int dir, const std::string& path,
                                      const std::vector<std::size_t>& doomed,
                                      std::span<RemovalOutcome> outcomes) {
  TRY(const auto meta, MetaDir::open(dir, path));
  for (const std::size_t i : doomed) {
    RemovalOutcome& outcome = outcomes[i];
    const auto remove_one = [&]() -> Result<void> {
      std::string identity;
      {
        TRY(const Fd inc, open_subdir(dir, outcome.inc, path + "/" + outcome.inc));
        TRY(identity, engine_->identify(inc.get()));
      }
      CHECK(engine_->remove(dir, outcome.inc, {}));
      if (meta) CHECK(meta->forget(identity));
      return {};
    };
    if (auto done = remove_one()) {
      outcome.status = RemovalStatus::removed;
    } else {
      outcome.error = std::move(done).error().in(
          fmt::format("removing inc '{}/{}'", outcome.owner, outcome.inc));
    }
    report(outcome.owner, 1);
  }
  return {};
}

/// How many entries the incs have by their records; 0 where one has none.
std::uint64_t expect_entries(const HostSettings& host, const std::string& owner,
                             const std::vector<std::size_t>& doomed,
                             std::span<const RemovalOutcome> outcomes) {
  std::uint64_t sum = 0;
  for (const std::size_t i : doomed) {
    const auto info = find_inc(host, owner, outcomes[i].inc);
    if (!info || !info->record || !info->record->entries) return 0;
    sum += *info->record->entries;
  }
  return sum;
}

/// First the names, in one go, then what takes time.
Result<void> Removing::remove_by_trash(int dir, const std::string& path, const std::string& owner,
                                       const Recovery& recovery,
                                       const std::vector<std::size_t>& doomed,
                                       std::span<RemovalOutcome> outcomes) {
  TRY(const JournalDir journal, JournalDir::open(host_));
  JournalEntry entry;
  entry.operation = JournalEntry::Operation::rm;
  if (recovery.trash) {
    entry.token = recovery.entry.token;
  } else {
    TRY(entry.token, random_token());
    CHECK(begin_operation(journal, owner, entry));
  }
  const std::uint64_t expected = progress_ ? expect_entries(host_, owner, doomed, outcomes) : 0;
  std::map<std::size_t, std::string> trash;
  for (const std::size_t i : doomed) {
    RemovalOutcome& outcome = outcomes[i];
    const std::string name = unused_trash_name(dir, entry, outcome.inc);
    auto renamed = rename_new(dir, outcome.inc, dir, name, path + "/" + outcome.inc);
    if (renamed) {
      trash.emplace(i, name);
      outcome.status = RemovalStatus::removed;
    } else {
      outcome.error = std::move(renamed).error();
    }
  }
  auto done = sync_fd(dir, path);
  if (done) {
    // Each inc is counted from one again.
    std::uint64_t before = 0;
    std::uint64_t last = 0;
    done = empty_inc_trash(host_, owner, entry, [&](std::uint64_t entries) {
      if (entries < last) before += last;
      last = entries;
      if (!progress_) return;
      progress_({.owner = owner,
                 .done = done_,
                 .total = total_,
                 .at_once = doomed.size(),
                 .entries = before + entries,
                 .expected_entries = expected});
    });
  }
  report(owner, doomed.size());
  if (!done) {
    // They have lost their names; what is left of them goes with the next operation.
    for (const auto& [i, name] : trash) {
      if (!has_entry(dir, name, path).value_or(true)) continue;
      outcomes[i].status = RemovalStatus::failed;
      outcomes[i].error = done.error();
    }
    return {};
  }
  return journal.clear(owner);
}

/// Where somebody removes an inc by hand its record stays behind, and on an ext4 without birth
/// times another inc can come to bear the same identity.
Result<void> Removing::forget_the_gone(int dir, const std::string& path) {
  TRY(const auto meta, MetaDir::open(dir, path));
  if (!meta) return {};
  TRY(const auto there, identify_entries(*engine_, dir, path));
  return there.all ? meta->forget_all_but(there) : Result<void>();
}

Result<void> Removing::remove(const IncRemoval& removal, std::span<RemovalOutcome> outcomes) {
  const std::string& owner = removal.owner;
  if (owner.empty() || owner.starts_with('.') || owner.contains('/')) {
    return fail(fmt::format("'{}' is no name in INCDIR '{}'", owner, host_.incdir));
  }
  TRY(const FileLock lock, lock_store(host_, owner));
  TRY(const Recovery recovery, recover(host_, owner, Trash::may_stay));
  TRY(auto doomed, choose(owner, outcomes));
  if (!doomed.empty()) {
    const std::string path = JailPaths(host_, owner).incs_dir;
    TRY(const Fd dir, open_path(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    const auto lengthy = split_lengthy(dir.get(), path, doomed, outcomes);
    CHECK(remove_at_once(dir.get(), path, doomed, outcomes));
    if (!lengthy.empty()) {
      CHECK(remove_by_trash(dir.get(), path, owner, recovery, lengthy, outcomes));
    }
    CHECK(forget_the_gone(dir.get(), path));
  }
  CHECK(drop_empty_incs_dir(host_, owner));
  if (recovery.trash) return std::unexpected(*recovery.trash);
  return {};
}

}  // namespace

std::vector<RemovalOutcome> remove_incs(const HostSettings& host,
                                        std::span<const IncRemoval> removals,
                                        const RemovalProgressCallback& progress) {
  std::vector<RemovalOutcome> outcomes;
  for (const auto& removal : removals) {
    for (const auto& inc : removal.incs) {
      outcomes.push_back({.owner = removal.owner, .inc = inc, .status = {}, .error = {}});
      outcomes.back().status = RemovalStatus::failed;
    }
  }
  Removing removing(host, outcomes.size(), progress);
  auto opened = removing.open();
  std::vector<RemovalOutcome> troubles;
  std::size_t first = 0;
  for (const auto& removal : removals) {
    const std::span<RemovalOutcome> own(outcomes.data() + first, removal.incs.size());
    first += removal.incs.size();
    const auto done = opened ? removing.remove(removal, own) : opened;
    if (done) continue;
    // Those without an error of their own share this one; with none to carry it, it stands alone.
    bool told = false;
    for (auto& outcome : own) {
      if (outcome.status != RemovalStatus::failed || outcome.error) continue;
      outcome.error = done.error();
      told = true;
    }
    if (!told) {
      troubles.push_back({.owner = removal.owner,
                          .inc = {},
                          .status = RemovalStatus::failed,
                          .error = done.error()});
    }
  }
  if (opened) {
    if (const auto synced = removing.sync(); !synced) {
      troubles.push_back(
          {.owner = {}, .inc = {}, .status = RemovalStatus::failed, .error = synced.error()});
    }
  }
  outcomes.insert(outcomes.end(), troubles.begin(), troubles.end());
  return outcomes;
}

}  // namespace evojail
