#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/lock.hpp"
#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "store/engine.hpp"
#include "store/host_check.hpp"
#include "store/incs.hpp"
#include "store/journal.hpp"
#include "store/meta_dir.hpp"
#include "store/open_sessions.hpp"
#include "store/parallel.hpp"
#include "store/recover.hpp"

namespace evojail {

/// One jail's inc on its way.
struct Job {
  const IncRequest* request = nullptr;
  IncOutcome* outcome = nullptr;
  std::optional<FileLock> lock;
  Recovery recovery;
  JournalEntry entry;
  Fd jail_dir;  ///< these three from open() on
  Fd incs_dir;
  std::optional<MetaDir> meta;
  std::optional<OpenSessions> sessions;  ///< from right before the inc on
  BuildResult built;
  std::optional<Error> build_error;
  Result<void> mirrored;
  std::string base_identity;  ///< of the inc that this one is built on
  bool underway = false;      ///< nothing said no; to be undone when it fails
};

/// The steps from a jail to its inc, for a batch of jails of one volume: what can say no, the
/// journal, the directories, the inc under a temporary name, its record, durability, the name.
/// take_incs() is the way in.
class Taking {
 public:
  Taking(const HostSettings& host, const std::string& inc_name, const IncOptions& options,
         const IncProgressCallback& progress, std::size_t total, std::unique_ptr<Engine> engine,
         JournalDir journal, FreeSpace space);

  void take(std::vector<Job>& jobs);
  /// Whether the jail was busy, and is to be tried again.
  [[nodiscard]] bool waits_for(const IncOutcome& outcome) const;
  /// How many jails to take at once with so many descriptors.
  [[nodiscard]] std::size_t batch_size(std::size_t descriptors) const;

 private:
  void prepare_all(std::vector<Job>& jobs);
  void sync_writes();
  Result<void> prepare(Job& job);
  Result<void> begin_all(std::vector<Job>& jobs);
  Result<void> open(Job& job);
  Result<void> build(Job& job);
  void build_all(std::vector<Job>& jobs);
  Result<void> finish(Job& job, SyncSet& sync);
  Result<void> mirror(Job& job, SyncSet& sync);
  Result<void> sync_and_mirror(std::vector<Job>& jobs, SyncSet& sync);
  Result<void> find_base(Job& job, BuildRequest& request, Fd& dir);
  /// What one jail runs into does not stop the others.
  template <class Step>
  void for_each_underway(std::vector<Job>& jobs, const Step& step) {
    for_each_index(jobs.size(), helpers_, [&](std::size_t i) {
      if (!jobs[i].underway) return;
      if (auto done = step(jobs[i]); !done) fail_job(jobs[i], std::move(done).error());
    });
  }
  void fail_job(Job& job, Error error);
  void fail_finished(Job& job, const Error& error);
  void end(Job& job);
  void end_shared(const std::vector<Job>& jobs);
  void report(const Job& job, const BuildState& state, bool done);

  const HostSettings& host_;
  const std::string& inc_name_;
  const IncOptions& options_;
  const IncProgressCallback& progress_;
  const std::size_t total_;
  std::unique_ptr<Engine> engine_;
  JournalDir journal_;
  const std::size_t builders_;  ///< threads that take incs: on btrfs they wait most of the time
  const std::size_t helpers_;   ///< threads for what comes before and after
  const std::uint64_t keep_free_;
  const std::chrono::steady_clock::time_point deadline_;  ///< for locks
  bool writes_synced_ = false;
  bool shared_ = false;  ///< the jobs at hand have one entry together
  std::mutex progress_mutex_;
  std::size_t done_ = 0;
};

}  // namespace evojail
