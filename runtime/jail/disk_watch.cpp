#include "jail/disk_watch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <ctime>
#include <string>

#include "base/amount.hpp"
#include "base/fd.hpp"
#include "jail/init_protocol.hpp"
#include "jail/leftovers.hpp"
#include "jail/written_bytes.hpp"
#include "kernel/channel.hpp"
#include "store/host_check.hpp"

namespace evojail {
namespace {

/// For what a session has left behind, beyond the grace that it is given.
constexpr std::chrono::milliseconds after_last_session{2000};
/// The kernel writes a page after at most half a minute (vm.dirty_expire_centisecs).
constexpr std::int64_t write_back_seconds = 35;

/// Its modification time says when a supervisor, of any jail, last ended a session for the volume.
std::string mark_of(const HostSettings& host) { return host.rundir + "/.lock/disk-reserve"; }

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

bool is_recent(const std::string& mark) {
  struct stat facts{};
  if (::stat(mark.c_str(), &facts) != 0) return false;
  return std::time(nullptr) - facts.st_mtim.tv_sec <= write_back_seconds;
}

void touch(const std::string& mark) {
  const auto file = open_path(mark, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600);
  if (file) ::futimens(file->get(), nullptr);
}

}  // namespace

DiskWatch::DiskWatch(const HostSettings& host, const SupervisorState& state, EventLoop& loop,
                     SessionTable& sessions, LogSink log)
    : host_(host), state_(state), loop_(loop), sessions_(sessions), log_(std::move(log)) {}

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
  if (!space) return log_(LogLevel::warning, space.error().message());
  const DiskLook volume = look_of(*space, is_recent(mark_of(host_)));
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
  if (!state_.sessions.empty()) watch_until_ = now + Leftovers::grace + after_last_session;
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
  touch(mark_of(host_));
  ban_.begin(DiskBan::Clock::now());
  log_(LogLevel::error,
       fmt::format("ending {}: {}", count_of(ended, "writing session"), describe(space)));
}

}  // namespace evojail
