#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <mutex>

#include "base/directory.hpp"
#include "base/file.hpp"
#include "config/jail_name.hpp"
#include "config/layout.hpp"
#include "store/host_check.hpp"
#include "store/incs.hpp"
#include "store/journal.hpp"
#include "store/meta_dir.hpp"
#include "store/moves.hpp"
#include "store/parallel.hpp"
#include "store/recover.hpp"
#include "store/store_lock.hpp"

namespace evojail {
namespace {

/// One jail's inc on its way.
struct Job {
  const IncRequest* request = nullptr;
  IncOutcome* outcome = nullptr;
  std::optional<FileLock> lock;
  JournalEntry entry;
  BuildResult built;
  std::string base_identity;  ///< of the inc that this one is built on
  bool underway = false;      ///< its journal is written
};

/// Locks of a whole batch are held at once: room for them, for as long as the object lives.
class MoreDescriptors {
 public:
  MoreDescriptors() {
    if (::getrlimit(RLIMIT_NOFILE, &before_) != 0) return;
    rlimit more = before_;
    more.rlim_cur = std::min<rlim_t>(more.rlim_max, 16384);
    raised_ = more.rlim_cur > before_.rlim_cur && ::setrlimit(RLIMIT_NOFILE, &more) == 0;
    limit_ = static_cast<std::size_t>(raised_ ? more.rlim_cur : before_.rlim_cur);
  }
  MoreDescriptors(const MoreDescriptors&) = delete;
  MoreDescriptors& operator=(const MoreDescriptors&) = delete;
  ~MoreDescriptors() {
    if (raised_) ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  [[nodiscard]] std::size_t limit() const { return limit_; }

 private:
  rlimit before_{};
  bool raised_ = false;
  std::size_t limit_ = 1024;
};

class Taking {
 public:
  Taking(const HostSettings& host, const std::string& inc_name, const IncOptions& options,
         const IncProgressCallback& progress, std::size_t total, std::unique_ptr<Engine> engine,
         JournalDir journal, FreeSpace space)
      : host_(host),
        inc_name_(inc_name),
        options_(options),
        progress_(progress),
        total_(total),
        engine_(std::move(engine)),
        journal_(std::move(journal)),
        threads_(engine_->parallel_builds()),
        // Sessions that write end at DISK_RESERVE, incs may go on into four fifths of it.
        keep_free_(space.reserve / 5) {}

  void take(std::vector<Job>& jobs);
  /// How many jails to take at once with so many descriptors; fits the number of threads to them.
  [[nodiscard]] std::size_t batch_size(std::size_t descriptors);

 private:
  Result<void> prepare(Job& job);
  Result<void> build(Job& job);
  Result<void> finish(Job& job, SyncSet& sync);
  Result<void> find_base(Job& job, BuildRequest& request, const MetaDir& meta, Fd& dir);
  void fail_job(Job& job, Error error);
  void fail_finished(Job& job, const Error& error);
  void end(Job& job);
  void report(const Job& job, const BuildState& state, bool done);

  const HostSettings& host_;
  const std::string& inc_name_;
  const IncOptions& options_;
  const IncProgressCallback& progress_;
  const std::size_t total_;
  std::unique_ptr<Engine> engine_;
  JournalDir journal_;
  std::size_t threads_;
  const std::uint64_t keep_free_;
  std::mutex progress_mutex_;
  std::size_t done_ = 0;
};

std::size_t Taking::batch_size(std::size_t descriptors) {
  if (threads_ == 1) return 1;
  // What the process has open anyway, what a thread has while it works, and a lock for each jail.
  constexpr std::size_t others = 24;
  constexpr std::size_t working = 8;
  const std::size_t room = descriptors > others ? descriptors - others : 1;
  threads_ = std::clamp<std::size_t>(room / (2 * working), 1, threads_);
  return std::max<std::size_t>(room - std::min(room, threads_ * working), 1);
}

/// Everything that can say no before anything is changed, then the journal.
Result<void> Taking::prepare(Job& job) {
  const std::string& jail = job.request->jail;
  CHECK(parse_jail_name(jail));
  const JailPaths paths(host_, jail);
  const auto no_such_jail = [&jail] {
    return fail(fmt::format("no such jail: '{}'", jail), ErrorKind::no_such_jail);
  };
  if (!path_exists(paths.conf)) return no_such_jail();
  if (!path_exists(paths.incs_policy)) {
    job.outcome->status = IncStatus::no_policy;
    return {};
  }
  TRY(job.lock, lock_store(host_, jail));
  CHECK(recover(host_, jail));
  if (!path_exists(paths.conf)) return no_such_jail();
  if (path_exists(paths.incs_dir + "/" + inc_name_)) {
    job.outcome->status = IncStatus::exists;
    return {};
  }
  job.entry.operation = JournalEntry::Operation::inc;
  TRY(job.entry.token, random_token());
  job.entry.subject = inc_name_;
  job.entry.began = std::time(nullptr);
  job.entry.partial = job.request->push_in_flight;
  CHECK(journal_.write(jail, job.entry));
  job.underway = true;
  return {};
}

/// The newest inc that evojail took whole. One of bkctld's will not do: its files may be the very
/// inodes of the live tree.
Result<void> Taking::find_base(Job& job, BuildRequest& request, const MetaDir& meta, Fd& dir) {
  TRY(dir, meta.open_manifests());
  request.manifests_dir = dir.get();
  request.manifest = request.temporary;
  TRY(const auto incs, list_incs(host_, job.request->jail, ListDetail::full));
  for (auto inc = incs.rbegin(); inc != incs.rend(); ++inc) {
    if (!inc->dated || !inc->record || inc->record->partial ||
        inc->record->engine != engine_->name()) {
      continue;
    }
    request.base = inc->name;
    job.base_identity = inc->identity;
    if (entry_exists(dir.get(), inc->identity)) request.base_manifest = inc->identity;
    break;
  }
  return {};
}

Result<void> Taking::build(Job& job) {
  const std::string& jail = job.request->jail;
  const JailPaths paths(host_, jail);
  TRY(const Fd jails, open_directory(host_.jaildir));
  TRY(const Fd incs, open_directory(host_.incdir));
  TRY(const Fd jail_dir, open_subdir(jails.get(), jail, paths.jail_dir));
  SyncSet sync(*engine_);
  TRY(const bool made, make_subdir(incs.get(), jail, 0700, paths.incs_dir));
  TRY(const Fd incs_dir, open_subdir(incs.get(), jail, paths.incs_dir));
  TRY(const MetaDir meta, MetaDir::make(incs_dir.get(), paths.incs_dir, sync));
  if (made) {
    TRY(Fd parent, duplicate(incs.get()));
    sync.add(std::move(parent));
  }
  // On btrfs all of it is in the snapshot's own commit or in one before.
  if (!engine_->syncs_volume()) CHECK(sync.sync());

  BuildRequest request;
  request.jail_dir = jail_dir.get();
  request.incs_dir = incs_dir.get();
  request.temporary = job.entry.new_name();
  request.sessions_open = !job.request->idle;
  request.stopped_cleanly = job.request->stopped_cleanly;
  request.keep_free = keep_free_;
  request.threads = options_.threads;
  Fd manifests;
  if (engine_->keeps_manifests()) CHECK(find_base(job, request, meta, manifests));
  TRY(job.built,
      engine_->build(request, [&](const BuildState& state) { report(job, state, false); }));
  return {};
}

/// Record, manifest, mirror, and at last the name.
Result<void> Taking::finish(Job& job, SyncSet& sync) {
  const std::string& jail = job.request->jail;
  const JailPaths paths(host_, jail);
  TRY(Fd incs_dir, open_directory(paths.incs_dir));
  TRY(const MetaDir meta, MetaDir::make(incs_dir.get(), paths.incs_dir, sync));
  IncRecord& record = job.outcome->record;
  {
    TRY(const Fd inc, open_subdir(incs_dir.get(), job.entry.new_name(), paths.incs_dir));
    TRY(record.identity, engine_->identify(inc.get()));
  }
  record.inc = inc_name_;
  record.engine = engine_->name();
  record.began = job.entry.began;
  record.ended = std::time(nullptr);
  record.sessions = job.request->sessions;
  record.troubles = job.built.troubles;
  if (job.request->push_in_flight) record.troubles.emplace_back("a push was in flight");
  record.partial = !record.troubles.empty();
  record.entries = job.built.entries;
  record.linked = job.built.linked;
  record.copied_bytes = job.built.copied_bytes;
  CHECK(meta.write_record(record, sync));
  CHECK(meta.mirror_settings(paths.conf_dir, sync));
  if (engine_->keeps_manifests()) {
    TRY(Fd manifests, meta.open_manifests());
    if (::renameat(manifests.get(), job.entry.new_name().c_str(), manifests.get(),
                   record.identity.c_str()) != 0) {
      return fail_errno("naming the manifest in", paths.meta_dir);
    }
    sync.add(std::move(manifests));
  }
  CHECK(rename_new(incs_dir.get(), job.entry.new_name(), incs_dir.get(), inc_name_,
                   paths.incs_dir + "/" + inc_name_));
  sync.add(std::move(incs_dir));
  return {};
}

/// Undoes what the job did. What cannot be undone now stays in the journal for the next operation.
void Taking::fail_job(Job& job, Error error) {
  job.outcome->status = IncStatus::failed;
  job.outcome->record = {};
  job.outcome->error =
      std::move(error).in(fmt::format("inc '{}' of jail '{}'", inc_name_, job.request->jail));
  if (job.underway) {
    const auto settled = settle_inc(host_, job.request->jail, job.entry);
    if (settled) [[maybe_unused]]
      const auto cleared = journal_.clear(job.request->jail);
    job.underway = false;
  }
  job.lock.reset();
}

/// It may not be on the disk: then it must not look as if it were.
void Taking::fail_finished(Job& job, const Error& error) {
  const std::string path = JailPaths(host_, job.request->jail).incs_dir;
  if (const auto dir = open_directory(path)) {
    [[maybe_unused]] const auto renamed =
        rename_new(dir->get(), inc_name_, dir->get(), job.entry.new_name(), path);
  }
  fail_job(job, error);
}

void Taking::end(Job& job) {
  const std::string path = JailPaths(host_, job.request->jail).incs_dir;
  if (engine_->keeps_manifests()) {
    // Of the newest two; one too many costs space only, and goes with the next inc.
    if (const auto dir = open_directory(path)) {
      if (const auto meta = MetaDir::open(dir->get(), path); meta && *meta) {
        [[maybe_unused]] const auto kept =
            (*meta)->keep_manifests({job.outcome->record.identity, job.base_identity});
      }
    }
  }
  // An entry that could not be cleared finds its work done.
  [[maybe_unused]] const auto cleared = journal_.clear(job.request->jail);
  job.outcome->status = IncStatus::taken;
  job.underway = false;
  job.lock.reset();
}

void Taking::report(const Job& job, const BuildState& state, bool done) {
  if (!progress_) return;
  const std::lock_guard lock(progress_mutex_);
  if (done) ++done_;
  progress_({.jail = job.request->jail,
             .done = done_,
             .total = total_,
             .entries = state.entries,
             .expected_entries = state.expected_entries,
             .bytes = state.bytes});
}

void Taking::take(std::vector<Job>& jobs) {
  for (Job& job : jobs) {
    if (auto prepared = prepare(job); !prepared) fail_job(job, std::move(prepared).error());
    if (!job.underway) {
      job.lock.reset();
      report(job, {}, true);
    }
  }
  const auto fail_underway = [&](const Error& error) {
    for (Job& job : jobs) {
      if (job.underway) fail_job(job, error);
    }
  };
  if (!engine_->syncs_volume()) {
    if (const auto synced = journal_.sync(); !synced) return fail_underway(synced.error());
  }
  for_each_index(jobs.size(), threads_, [&](std::size_t i) {
    Job& job = jobs[i];
    if (!job.underway) return;
    if (auto built = build(job); !built) fail_job(job, std::move(built).error());
    report(job, {}, true);
  });
  SyncSet sync(*engine_);
  for (Job& job : jobs) {
    if (!job.underway) continue;
    if (auto finished = finish(job, sync); !finished) fail_job(job, std::move(finished).error());
  }
  const auto synced = sync.sync();
  for (Job& job : jobs) {
    if (!job.underway) continue;
    if (synced) {
      end(job);
    } else {
      fail_finished(job, synced.error());
    }
  }
}

/// What all the jails share, or why none of them can have its inc.
struct Ground {
  std::unique_ptr<Engine> engine;
  JournalDir journal;
  FreeSpace space;
};

Result<Ground> prepare_ground(const HostSettings& host, const std::string& inc_name) {
  if (!is_inc_name(inc_name)) return fail(fmt::format("'{}' is no inc's name", inc_name));
  CHECK(check_store(host));
  TRY(const Fd incs, open_directory(host.incdir));
  TRY(auto engine, make_engine(incs.get(), host.incdir));
  TRY(auto journal, JournalDir::open(host));
  TRY(const FreeSpace space, free_space(host));
  return Ground{std::move(engine), std::move(journal), space};
}

}  // namespace

std::vector<IncOutcome> take_incs(const HostSettings& host, std::span<const IncRequest> requests,
                                  const std::string& inc_name, const IncOptions& options,
                                  const IncProgressCallback& progress) {
  std::vector<IncOutcome> outcomes(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i) outcomes[i].jail = requests[i].jail;
  auto ground = prepare_ground(host, inc_name);
  if (!ground) {
    for (auto& outcome : outcomes) outcome.error = ground.error();
    return outcomes;
  }
  const MoreDescriptors descriptors;
  Taking taking(host, inc_name, options, progress, requests.size(), std::move(ground->engine),
                std::move(ground->journal), ground->space);
  const std::size_t batch = taking.batch_size(descriptors.limit());
  for (std::size_t first = 0; first < requests.size(); first += batch) {
    std::vector<Job> jobs(std::min(batch, requests.size() - first));
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      jobs[i].request = &requests[first + i];
      jobs[i].outcome = &outcomes[first + i];
    }
    taking.take(jobs);
  }
  return outcomes;
}

}  // namespace evojail
