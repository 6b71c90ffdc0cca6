// Taking as far as the inc itself: what can say no, the journal, the directories.

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <ctime>
#include <utility>

#include "base/directory.hpp"
#include "base/file.hpp"
#include "config/jail_name.hpp"
#include "config/layout.hpp"
#include "store/inc_taking.hpp"
#include "store/jails.hpp"
#include "store/parallel.hpp"
#include "store/recover.hpp"
#include "store/store_lock.hpp"
#include "store/tree_directory.hpp"

namespace evojail {
namespace {

/// A snapshot has nothing of what is mounted over the jail's directories: it would be an empty inc
/// that claims to be whole.
Result<void> check_not_mounted_over(int jail_dir, const std::string& path) {
  for (const char* name : {"data", "var"}) {
    Fd dir;
    const int code = open_subdirectory(jail_dir, name, dir);
    if (code == 0) continue;
    const std::string object = fmt::format("{}/{}", path, name);
    if (code != EXDEV) return fail_errno("opening", object, code);
    return std::unexpected(
        Error(fmt::format("another file system is mounted on '{}'", object))
            .hint("no inc can have what is in it: unmount it, and move its files to the volume"));
  }
  return {};
}

}  // namespace

/// Everything that can say no before anything is changed.
Result<void> Taking::prepare(Job& job) {
  const std::string& jail = job.request->jail;
  CHECK(parse_jail_name(jail));
  const JailPaths paths(host_, jail);
  const auto no_such_jail = [&jail] {
    return fail(fmt::format("no such jail: '{}'", jail), ErrorKind::no_such_jail);
  };
  TRY(bool there, has_settings(host_, jail));
  if (!there) return no_such_jail();
  TRY(const bool wanted, has_path(paths.incs_policy));
  if (!wanted) {
    job.outcome->status = IncStatus::no_policy;
    return {};
  }
  TRY(job.lock, lock_store(host_, jail));
  TRY(job.recovery, recover(host_, journal_, jail, Trash::may_stay));
  if (job.recovery.trash) job.outcome->warnings.push_back(job.recovery.trash->message());
  TRY(there, has_settings(host_, jail));
  if (!there) return no_such_jail();
  TRY(const bool taken, has_path(paths.incs_dir + "/" + inc_name_));
  if (taken) {
    job.outcome->status = IncStatus::exists;
    return {};
  }
  job.underway = true;
  return {};
}

void Taking::sync_writes() {
  // Not again for those that wait for their locks.
  if (!engine_->syncs_volume() || std::exchange(writes_synced_, true)) return;
  const auto incs = open_directory(host_.incdir);
  if (!incs) return;
  const int fd = incs->get();
  // What goes wrong here comes up again at the end.
  [[maybe_unused]] const auto synced = engine_->sync({&fd, 1});
}

/// What clients wrote just now is put on the disk meanwhile: it would be waited for in every
/// snapshot by itself, and they would miss each other's commit.
void Taking::prepare_all(std::vector<Job>& jobs) {
  for_each_index(jobs.size() + 1, helpers_, [&](std::size_t i) {
    if (i == 0) return sync_writes();
    Job& job = jobs[i - 1];
    if (auto prepared = prepare(job); !prepared) fail_job(job, std::move(prepared).error());
    if (!job.underway) {
      job.lock.reset();
      report(job, {}, !waits_for(*job.outcome));
    }
  });
}

/// The journal, before anything is changed: one entry for all that can share it.
Result<void> Taking::begin_all(std::vector<Job>& jobs) {
  shared_ = false;
  JournalEntry entry;
  entry.operation = JournalEntry::Operation::inc;
  TRY(entry.token, random_token());
  entry.subject = inc_name_;
  entry.began = std::time(nullptr);
  std::vector<std::string> sharing;
  for (Job& job : jobs) {
    if (!job.underway) continue;
    job.entry = entry;
    if (job.recovery.trash) {
      job.entry.token = job.recovery.entry.token;
    } else {
      sharing.push_back(job.request->jail);
    }
  }
  if (sharing.size() > 1) {
    TRY(shared_, journal_.write_all(sharing, entry));
  }
  for_each_underway(jobs, [this](Job& job) -> Result<void> {
    const std::string& jail = job.request->jail;
    if (job.recovery.trash) return journal_.replace(jail, job.entry);
    if (shared_) return {};
    return journal_.write(jail, job.entry);
  });
  return {};
}

/// The directories that the inc needs, made where they are missing.
Result<void> Taking::open(Job& job) {
  const std::string& jail = job.request->jail;
  const JailPaths paths(host_, jail);
  TRY(const Fd jails, open_directory(host_.jaildir));
  TRY(const Fd incs, open_directory(host_.incdir));
  TRY(job.jail_dir, open_subdir(jails.get(), jail, paths.jail_dir));
  CHECK(check_not_mounted_over(job.jail_dir.get(), paths.jail_dir));
  SyncSet sync(*engine_);
  TRY(const bool made, make_subdir(incs.get(), jail, 0700, paths.incs_dir));
  TRY(job.incs_dir, open_subdir(incs.get(), jail, paths.incs_dir));
  TRY(job.meta, MetaDir::make(job.incs_dir.get(), paths.incs_dir, sync));
  if (made) {
    TRY(Fd parent, duplicate(incs.get()));
    sync.add(std::move(parent));
  }
  // On btrfs all of it is in the snapshot's own commit or in one before.
  if (!engine_->syncs_volume()) CHECK(sync.sync());
  return {};
}

}  // namespace evojail
