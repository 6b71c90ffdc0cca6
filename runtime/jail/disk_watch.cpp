#include "jail/disk_watch.hpp"

#include <fmt/format.h>

#include <ctime>
#include <utility>

#include "base/amount.hpp"
#include "jail/init_protocol.hpp"
#include "jail/leftovers.hpp"
#include "jail/written_bytes.hpp"
#include "kernel/channel.hpp"
#include "store/host_check.hpp"

namespace evojail {
namespace {

/// Of what a session has left behind, which ends a little later than its grace.
constexpr auto longest_afterlife = Leftovers::grace + std::chrono::seconds(2);

/// A volume runs out of whichever is scarcer.
DiskLook look_of(const FreeSpace& space, bool explained) {
  // What nobody makes faster than so many bytes.
  constexpr std::uint64_t bytes_of_inode = 16 << 10;
  const DiskLook bytes{space.available, space.reserve, explained};
  if (space.inodes_reserve == 0 || bytes.low()) return bytes;
  // An inode is taken at once: no ended session takes any more.
  const DiskLook inodes{space.inodes_available * bytes_of_inode,
                        space.inodes_reserve * bytes_of_inode};
  if (inodes.low()) return inodes;
  return inodes.available - inodes.reserve < bytes.available - bytes.reserve ? inodes : bytes;
}

}  // namespace

DiskWatch::DiskWatch(const HostSettings& host, const SupervisorState& state, EventLoop& loop,
                     SessionTable& sessions, LogSink log)
    : host_(host),
      state_(state),
      loop_(loop),
      sessions_(sessions),
      log_(std::move(log)),
      mark_(host.rundir + "/.lock/disk-reserve"),
      // Of before a reload.
      watch_until_(EventLoop::Clock::now() + longest_afterlife) {}

void DiskWatch::watch() {
  if (!watching_) look();
}

void DiskWatch::look() {
  watching_ = has_anybody_to_watch();
  if (!watching_) {
    guard_ = {};
    return;
  }
  judge();
  loop_.at(EventLoop::Clock::now() + guard_.pause(), [this] { look(); });
}

void DiskWatch::judge() {
  const auto space = free_space(host_);
  if (!space) {
    if (!std::exchange(blind_, true)) log_(LogLevel::warning, space.error().message());
    return;
  }
  blind_ = false;
  const DiskLook volume = look_of(*space, mark_.explains(std::time(nullptr)));
  auto counts = sessions_.disk_use();
  JailStir stir;
  if (volume.low()) {
    stir = add_written(counts);
  } else {
    ban_.lift();
  }
  end(guard_.look(volume, counts, stir), *space);
}

bool DiskWatch::is_low() const {
  const auto space = free_space(host_);
  return space && space->low();
}

bool DiskWatch::turns_away() const { return ban_.holds(DiskBan::Clock::now()) && is_low(); }

bool DiskWatch::has_anybody_to_watch() {
  const auto now = EventLoop::Clock::now();
  if (!state_.sessions.empty()) watch_until_ = now + longest_afterlife;
  return now < watch_until_;
}

JailStir DiskWatch::add_written(std::map<std::uint32_t, DiskUse>& counts) {
  auto writes = writes_below(state_.init.process.pid());
  if (!writes) {
    log_(LogLevel::warning, writes.error().message());
    return {.whole = false};
  }
  auto& written = writes->by_child;
  const JailStir stir{writes->processes, writes->activity, writes->whole};
  for (auto& [id, count] : counts) {
    const auto found = written.find(state_.sessions.at(id).process);
    if (found == written.end()) continue;
    count.written = found->second;
    written.erase(found);
  }
  if (written.empty()) return stir;
  // What a session left behind belongs to none that could be ended for it.
  [[maybe_unused]] const auto told = send_packet(
      state_.init.channel.get(), encode(InitMessage{.kind = InitMessage::Kind::end_leftovers}));
  return stir;
}

void DiskWatch::end(const std::set<std::uint32_t>& writers, const FreeSpace& space) {
  const auto ended =
      sessions_.end_where([&](const Session& session) { return writers.contains(session.id); });
  if (ended == 0) return;
  mark_.set(std::time(nullptr));
  ban_.begin(DiskBan::Clock::now());
  log_(LogLevel::error,
       fmt::format("ending {}: {}", count_of(ended, "writing session"), describe(space)));
}

}  // namespace evojail
