#include <fmt/format.h>
#include <poll.h>

#include <algorithm>

#include "base/descriptor_limit.hpp"
#include "base/directory.hpp"
#include "config/jail_name.hpp"
#include "store/inc_taking.hpp"
#include "store/incs.hpp"

namespace evojail {
namespace {

/// Between two tries of a jail's lock: flock(2) has no bound.
constexpr int lock_pause_ms = 200;

/// Locks of a whole batch are held at once.
constexpr std::size_t most_descriptors = 16384;

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
  Taking taking(host, inc_name, options, progress, requests.size(), std::move(ground->engine),
                std::move(ground->journal), ground->space);
  const std::size_t batch = taking.batch_size(raise_descriptor_limit(most_descriptors));
  std::vector<std::size_t> waiting;
  for (std::size_t i = 0; i < requests.size(); ++i) waiting.push_back(i);
  for (;;) {
    for (std::size_t first = 0; first < waiting.size(); first += batch) {
      std::vector<Job> jobs(std::min(batch, waiting.size() - first));
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        jobs[i].request = &requests[waiting[first + i]];
        jobs[i].outcome = &outcomes[waiting[first + i]];
        *jobs[i].outcome = {.jail = jobs[i].request->jail};
      }
      taking.take(jobs);
    }
    std::erase_if(waiting, [&](std::size_t i) { return !taking.waits_for(outcomes[i]); });
    if (waiting.empty()) return outcomes;
    ::poll(nullptr, 0, lock_pause_ms);
  }
}

}  // namespace evojail
