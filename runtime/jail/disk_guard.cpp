#include "jail/disk_guard.hpp"

#include <algorithm>
#include <utility>

namespace evojail {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds pause_with_room{2000};
constexpr milliseconds pause_when_low{500};
constexpr milliseconds pause_until_second_look{20};
constexpr milliseconds least_pause{20};
constexpr milliseconds least_pause_at_rest{100};
/// What nobody writes faster than, to one volume.
constexpr std::uint64_t bytes_per_ms = (2ULL << 30) / 1000;

}  // namespace

milliseconds DiskGuard::pause() const noexcept {
  if (low_) return was_low_ ? pause_when_low : pause_until_second_look;
  const auto filled_in = static_cast<milliseconds::rep>(headroom_ / bytes_per_ms);
  return std::clamp(milliseconds(filled_in), moved_ ? least_pause : least_pause_at_rest,
                    pause_with_room);
}

bool DiskGuard::writes(std::uint32_t id, const DiskUse& use) const {
  const auto found = before_.find(id);
  const DiskUse before = found == before_.end() ? DiskUse{} : found->second;
  // Counts of processes that nobody reaped are lost: a sum may fall.
  return use.received > before.received + quiet_received ||
         use.written > before.written + quiet_written;
}

bool DiskGuard::is_enough(const JailStir& stir) {
  rest_ = 0;
  ++falls_;
  ++falls_in_a_row_;
  if (!stir.whole || stir.processes != stir_.processes ||
      stir.activity > stir_.activity + quiet_activity) {
    ++stirs_;
  }
  return falls_in_a_row_ >= long_patience || (falls_ >= patience && 2 * stirs_ >= falls_);
}

std::set<std::uint32_t> DiskGuard::look(const DiskLook& volume,
                                        const std::map<std::uint32_t, DiskUse>& use,
                                        const JailStir& stir) {
  was_low_ = low_;
  const bool first = !was_low_;
  const bool fell = volume.available < available_;
  moved_ = volume.available != available_;
  low_ = volume.low();
  available_ = volume.available;
  headroom_ = low_ ? 0 : volume.available - volume.reserve;
  std::set<std::uint32_t> writers;
  std::map<std::uint32_t, DiskUse> now = use;
  for (auto& [id, counts] : now) {
    const auto before = before_.find(id);
    // What was written while there was room is nobody's fault.
    if (low_ && first && before != before_.end()) before->second.written = counts.written;
    if (low_ && writes(id, counts)) writers.insert(id);
    if (low_ && fell && !first) {
      counts.written = before == before_.end() ? 0 : before->second.written;
    }
  }
  before_ = std::move(now);
  const bool unseen = low_ && fell && !first && writers.empty() && !volume.explained;
  const bool enough = unseen && is_enough(stir);
  stir_ = stir;
  if (!unseen || enough) falls_in_a_row_ = 0;
  if (enough || (!unseen && ++rest_ > longest_rest)) falls_ = stirs_ = 0;
  if (!enough) return writers;
  for (const auto& [id, counts] : use) writers.insert(id);
  return writers;
}

}  // namespace evojail
