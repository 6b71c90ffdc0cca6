#include "store/inc_taking.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <ranges>
#include <thread>
#include <utility>

#include "base/directory.hpp"
#include "base/file.hpp"
#include "config/layout.hpp"
#include "store/moves.hpp"
#include "store/parallel.hpp"
#include "store/recover.hpp"

namespace evojail {
namespace {

/// What is known of the jail's sessions takes in what they are now.
const OpenSessions& look_at_sessions(Job& job) {
  OpenSessions now = job.request->sessions ? job.request->sessions() : OpenSessions{};
  if (job.sessions) {
    job.sessions->add(now);
  } else {
    job.sessions = std::move(now);
  }
  return *job.sessions;
}

}  // namespace

Taking::Taking(const HostSettings& host, const std::string& inc_name, const IncOptions& options,
               const IncProgressCallback& progress, std::size_t total,
               std::unique_ptr<Engine> engine, JournalDir journal, FreeSpace space)
    : host_(host),
      inc_name_(inc_name),
      options_(options),
      progress_(progress),
      total_(total),
      engine_(std::move(engine)),
      journal_(std::move(journal)),
      builders_(engine_->parallel_builds()),
      helpers_(builders_ == 1 ? 1 : std::clamp(std::thread::hardware_concurrency(), 1U, 8U)),
      // Sessions that write end at DISK_RESERVE, incs may go on into four fifths of it.
      keep_free_(space.reserve / 5),
      deadline_(std::chrono::steady_clock::now() + options.lock_patience) {}

bool Taking::waits_for(const IncOutcome& outcome) const {
  return outcome.error && outcome.error->kind() == ErrorKind::busy &&
         std::chrono::steady_clock::now() < deadline_;
}

std::size_t Taking::batch_size(std::size_t descriptors) const {
  if (builders_ == 1) return 1;
  // What the process and its helpers have open anyway, and what each jail keeps open.
  constexpr std::size_t others = 24;
  constexpr std::size_t of_helper = 8;
  constexpr std::size_t of_jail = 4;
  const std::size_t reserved = others + helpers_ * of_helper;
  return std::max<std::size_t>((descriptors - std::min(descriptors, reserved)) / of_jail, 1);
}

/// The newest inc that evojail took. One of bkctld's will not do: its files may be the very inodes
/// of the live tree. One that is partial will: nothing is linked for standing in a complete inc.
/// Each file is linked because its own record proves that this copy is that inode's contents, no
/// session could have touched it since, or else because its bytes were compared (rules 4 and 5);
/// what changed while it was read, or came out otherwise than it should, has no such record, and
/// what is missing is copied. Otherwise a jail with a session that never ends, or a file that
/// cannot be read for weeks, would cost a full copy each time.
Result<void> Taking::find_base(Job& job, BuildRequest& request, Fd& dir) {
  TRY(dir, job.meta->open_manifests());
  request.manifests_dir = dir.get();
  request.manifest = request.temporary;
  TRY(const auto incs, list_incs(host_, job.request->jail, ListDetail::records));
  for (const auto& inc : std::views::reverse(incs)) {
    if (inc.trouble) {
      job.outcome->warnings.push_back(inc.trouble->message() + ": it is not built on");
    }
    if (!inc.dated || !inc.record || inc.record->engine != engine_->name()) continue;
    // A copy, made nobody knows how.
    if (inc.record->identity != inc.identity) continue;
    request.base = inc.name;
    job.base_identity = inc.identity;
    const auto manifest = open_at(dir.get(), inc.identity, O_RDONLY | O_NOFOLLOW);
    if (manifest) {
      request.base_manifest = inc.identity;
    } else if (manifest.error().code() != ENOENT) {
      job.outcome->warnings.push_back(manifest.error().message() + ": all files are compared");
    }
    break;
  }
  return {};
}

Result<void> Taking::build(Job& job) {
  BuildRequest request;
  request.jail_dir = job.jail_dir.get();
  request.incs_dir = job.incs_dir.get();
  request.temporary = job.entry.new_name();
  request.sessions_open = [&job] { return !look_at_sessions(job).idle; };
  request.clean_boots = job.request->clean_boots;
  request.keep_free = keep_free_;
  request.threads = options_.threads;
  Fd manifests;
  if (engine_->keeps_manifests()) CHECK(find_base(job, request, manifests));
  TRY(job.built,
      engine_->build(request, [&](const BuildState& state) { report(job, state, false); }));
  return {};
}

/// All at once, so that they share commits. Each of a crowd holds back room for its worst case:
/// those that found none left on a small volume try again in smaller crowds.
void Taking::build_all(std::vector<Job>& jobs) {
  std::vector<Job*> waiting;
  for (Job& job : jobs) {
    if (job.underway) waiting.push_back(&job);
  }
  for (std::size_t crowd = std::min(builders_, waiting.size()); !waiting.empty();
       crowd = std::max<std::size_t>(crowd / 8, 1)) {
    at_once(waiting.size(), crowd, [&](std::size_t i) {
      Job& job = *waiting[i];
      job.build_error.reset();
      if (auto built = build(job); !built) job.build_error = std::move(built).error();
      if (!job.build_error) report(job, {}, true);
    });
    if (crowd == 1) break;
    std::erase_if(waiting, [this](const Job* job) {
      if (!job->build_error || job->build_error->code() != ENOSPC) return true;
      // The ioctl can fail after its commit, with the snapshot made.
      return !engine_->remove(job->incs_dir.get(), job->entry.new_name(), {});
    });
  }
  for_each_underway(jobs, [this](Job& job) -> Result<void> {
    job.jail_dir.reset();
    if (!job.build_error) return {};
    report(job, {}, true);
    return std::unexpected(std::move(*job.build_error));
  });
}

/// Record, manifest, and at last the name.
Result<void> Taking::finish(Job& job, SyncSet& sync) {
  const std::string& jail = job.request->jail;
  const JailPaths paths(host_, jail);
  Fd incs_dir = std::move(job.incs_dir);
  IncRecord& record = job.outcome->record;
  {
    TRY(const Fd inc, open_subdir(incs_dir.get(), job.entry.new_name(), paths.incs_dir));
    TRY(record.identity, engine_->identify(inc.get()));
  }
  record.inc = inc_name_;
  record.engine = engine_->name();
  record.began = job.entry.began;
  record.ended = std::time(nullptr);
  if (job.sessions) {
    record.sessions = job.sessions->lines;
    record.push_in_flight = job.sessions->push_in_flight;
  }
  record.troubles = job.built.troubles;
  record.partial = record.push_in_flight || !record.troubles.empty();
  record.entries = job.built.entries;
  record.linked = job.built.linked;
  record.copied_bytes = job.built.copied_bytes;
  record.compared_bytes = job.built.compared_bytes;
  CHECK(job.meta->write_record(record, sync));
  if (engine_->keeps_manifests()) {
    TRY(Fd manifests, job.meta->open_manifests());
    if (::renameat(manifests.get(), job.entry.new_name().c_str(), manifests.get(),
                   record.identity.c_str()) != 0) {
      return fail_errno("naming the manifest in", paths.meta_dir);
    }
    sync.add(std::move(manifests));
  }
  // Where a crash keeps the name and loses the record, the journal knows the worst of it: it was
  // changed first, and no file system here keeps the later of two such steps without the earlier.
  if (record.partial) {
    job.entry.partial = true;
    CHECK(journal_.replace(jail, job.entry));
  }
  if (!engine_->syncs_volume()) CHECK(sync.sync());
  CHECK(rename_new(incs_dir.get(), job.entry.new_name(), incs_dir.get(), inc_name_,
                   paths.incs_dir + "/" + inc_name_));
  sync.add(std::move(incs_dir));
  return {};
}

Result<void> Taking::mirror(Job& job, SyncSet& sync) {
  const MetaDir meta = *std::exchange(job.meta, std::nullopt);
  TRY(const auto unread, meta.mirror_settings(JailPaths(host_, job.request->jail).conf_dir, sync));
  for (const Error& error : unread) {
    job.outcome->warnings.push_back(error.message() + ": it has no copy beside the incs");
  }
  return {};
}

/// Makes all durable, and meanwhile looks whether the mirrors, which nothing waits for, still show
/// the jails' settings.
Result<void> Taking::sync_and_mirror(std::vector<Job>& jobs, SyncSet& sync) {
  Result<void> synced;
  SyncSet mirrors(*engine_);
  for_each_index(jobs.size() + 1, helpers_, [&](std::size_t i) {
    if (i == 0) {
      synced = sync.sync();
    } else if (jobs[i - 1].underway) {
      jobs[i - 1].mirrored = mirror(jobs[i - 1], mirrors);
    }
  });
  if (synced) synced = mirrors.sync();
  return synced;
}

/// Undoes what the job did. What cannot be undone now stays in the journal for the next operation.
void Taking::fail_job(Job& job, Error error) {
  job.outcome->status = IncStatus::failed;
  job.outcome->record = {};
  job.outcome->error =
      std::move(error).in(fmt::format("inc '{}' of jail '{}'", inc_name_, job.request->jail));
  if (job.underway) {
    [[maybe_unused]] const auto settled =
        recover(host_, journal_, job.request->jail, Trash::may_stay);
    job.underway = false;
  }
  job.jail_dir.reset();
  job.incs_dir.reset();
  job.meta.reset();
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
  if (!shared_ || job.entry.partial || job.recovery.trash) {
    [[maybe_unused]] const auto ended = end_operation(journal_, job.request->jail, job.recovery);
  }
  job.outcome->status = IncStatus::taken;
  job.underway = false;
  job.lock.reset();
}

/// One that failed and could not be undone stays: its lock is free, and others may see to it.
void Taking::end_shared(const std::vector<Job>& jobs) {
  std::vector<std::string> done;
  for (const Job& job : jobs) {
    if (job.underway) done.push_back(job.request->jail);
  }
  // As in end().
  [[maybe_unused]] const auto cleared = journal_.clear_all(done);
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
             .bytes = state.bytes,
             .measuring = state.measuring,
             .cost = state.cost});
}

void Taking::take(std::vector<Job>& jobs) {
  prepare_all(jobs);
  const auto begun = begin_all(jobs);
  if (!begun) for_each_underway(jobs, [&](Job&) { return begun; });
  if (!engine_->syncs_volume()) {
    if (const auto synced = journal_.sync(); !synced) {
      for_each_underway(jobs, [&](Job&) { return synced; });
    }
  }
  for_each_underway(jobs, [this](Job& job) { return open(job); });
  // The tree engine asks by itself, at its T. Snapshots start together, so all are asked before.
  const auto look_at_all = [&] {
    if (engine_->keeps_manifests()) return;
    for_each_index(jobs.size(), helpers_, [&](std::size_t i) {
      if (jobs[i].underway) look_at_sessions(jobs[i]);
    });
  };
  look_at_all();
  build_all(jobs);
  look_at_all();
  SyncSet sync(*engine_);
  for_each_underway(jobs, [&](Job& job) { return finish(job, sync); });
  const auto synced = sync_and_mirror(jobs, sync);
  for_each_index(jobs.size(), helpers_, [&](std::size_t i) {
    Job& job = jobs[i];
    if (!job.underway) return;
    if (!synced) {
      fail_finished(job, synced.error());
    } else if (!job.mirrored) {
      fail_finished(job, job.mirrored.error());
    }
  });
  if (shared_) end_shared(jobs);
  for_each_index(jobs.size(), helpers_, [&](std::size_t i) {
    if (jobs[i].underway) end(jobs[i]);
  });
}

}  // namespace evojail
