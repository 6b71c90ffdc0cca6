#include "jail/disk_guard.hpp"

#include <utility>

namespace evojail {

bool DiskGuard::writes(std::uint32_t id, const DiskUse& use) const {
  const auto found = before_.find(id);
  const DiskUse before = found == before_.end() ? DiskUse{} : found->second;
  // Counts of processes that nobody reaped are lost: a sum may fall.
  return use.received > before.received + quiet_received ||
         use.written > before.written + quiet_written;
}

bool DiskGuard::is_enough(const JailStir& stir) {
  ++falls_;
  if (!stir.whole || stir.processes != stir_.processes ||
      stir.activity > stir_.activity + quiet_activity) {
    ++stirs_;
  }
  return falls_ >= long_patience || (falls_ >= patience && 2 * stirs_ >= falls_);
}

std::set<std::uint32_t> DiskGuard::look(const DiskLook& volume,
                                        const std::map<std::uint32_t, DiskUse>& use,
                                        const JailStir& stir) {
  const bool first = !low_;
  const bool fell = volume.available < available_;
  low_ = volume.low();
  available_ = volume.available;
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
  if (!unseen || enough) falls_ = stirs_ = 0;
  if (!enough) return writers;
  for (const auto& [id, counts] : use) writers.insert(id);
  return writers;
}

}  // namespace evojail
