#pragma once

#include <cstdint>
#include <map>
#include <set>

namespace evojail {

/// What one session has done to the volume so far.
struct DiskUse {
  std::uint64_t received = 0;  ///< bytes over its connection
  std::uint64_t written = 0;   ///< bytes by its processes; they lag behind until they are written
};

/// One look at the volume.
struct DiskLook {
  std::uint64_t available = 0;  ///< bytes
  std::uint64_t reserve = 0;    ///< bytes that DISK_RESERVE keeps
  /// A session of any jail has been ended for it a short while ago: what it wrote may still be on
  /// its way to the disk.
  bool explained = false;

  [[nodiscard]] bool low() const noexcept { return available < reserve; }
};

/// Which sessions write to a volume whose free space has fallen below its reserve: those have to
/// end, so that the neighbours' incs still fit. Pure: counts come in as values.
class DiskGuard {
 public:
  /// What a session may receive between two looks without counting as a writer: a probe, a
  /// question.
  static constexpr std::uint64_t quiet_received = 64 << 10;
  /// What it may write while the volume falls: what a removal of files writes, and a log.
  static constexpr std::uint64_t quiet_written = 1 << 20;
  /// After so many looks in a row in which the volume fell and nobody was seen to write, everybody
  /// is (fallocate(2) shows in no count).
  static constexpr unsigned patience = 20;

  /// @param use of each open session; `written` matters only while the volume is low.
  /// @return the sessions to end now.
  std::set<std::uint32_t> look(const DiskLook& volume, const std::map<std::uint32_t, DiskUse>& use);

  /// Whether the volume was low at the last look.
  [[nodiscard]] bool low() const noexcept { return low_; }

 private:
  [[nodiscard]] bool writes(std::uint32_t id, const DiskUse& use) const;

  std::map<std::uint32_t, DiskUse> before_;  // `written`: since the volume last did not fall
  std::uint64_t available_ = 0;
  unsigned falls_ = 0;
  bool low_ = false;
};

}  // namespace evojail
