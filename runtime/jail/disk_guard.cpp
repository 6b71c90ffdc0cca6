#include "jail/disk_guard.hpp"

namespace evojail {

std::set<std::uint32_t> DiskGuard::look(bool low,
                                        const std::map<std::uint32_t, std::uint64_t>& received) {
  std::set<std::uint32_t> writers;
  low_ = low;
  for (const auto& [id, bytes] : received) {
    const auto before = before_.find(id);
    const std::uint64_t since = bytes - (before == before_.end() ? 0 : before->second);
    if (low && since > quiet_bytes) writers.insert(id);
  }
  before_ = received;
  return writers;
}

}  // namespace evojail
