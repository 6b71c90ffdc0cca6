#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
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

/// Signs of life of the jail's processes, in which somebody who writes unseen shows.
struct JailStir {
  std::uint64_t processes = 0;  ///< another number where processes have come or gone
  std::uint64_t activity = 0;   ///< JailWrites::activity
  bool whole = true;            ///< false: not all were looked at
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
  /// Activity between two looks that counts as none: an idle sshd wakes now and then.
  static constexpr std::uint64_t quiet_activity = 2;
  /// After so many looks in which the volume fell and nobody was seen to write (processes
  /// that nobody reaps take their counts with them; much of a file system's own data is in no
  /// count), everybody in a jail that stirred in half of them is taken for a writer.
  static constexpr unsigned patience = 20;
  /// Looks without a fall between them do not begin the count anew, up to so many: a writer could
  /// rest in time.
  static constexpr unsigned longest_rest = 8;
  /// And after so many without a rest everybody in any jail.
  static constexpr unsigned long_patience = 3 * patience;

  /// @param use of each open session; `written` matters only while the volume is low, and so does
  /// `stir`.
  /// @return the sessions to end now.
  std::set<std::uint32_t> look(const DiskLook& volume, const std::map<std::uint32_t, DiskUse>& use,
                               const JailStir& stir = {});

  /// How long after the last look the next one is due: the less room there was above the reserve,
  /// the sooner, so that the fastest of writers does not get through the reserve in between; and
  /// soon after the first look at a low volume, since only a second one tells who writes.
  [[nodiscard]] std::chrono::milliseconds pause() const noexcept;

 private:
  [[nodiscard]] bool writes(std::uint32_t id, const DiskUse& use) const;
  /// Counts a fall that nobody was seen to cause; true where it is time to end everybody.
  bool is_enough(const JailStir& stir);

  std::map<std::uint32_t, DiskUse> before_;  // `written`: since the volume last did not fall
  std::uint64_t available_ = 0;
  std::uint64_t headroom_ = std::numeric_limits<std::uint64_t>::max();  // above the reserve
  JailStir stir_;
  unsigned falls_in_a_row_ = 0;
  unsigned falls_ = 0;  // with rests between them
  unsigned stirs_ = 0;  // of those falls
  unsigned rest_ = 0;   // looks since the last of them
  bool low_ = false;
  bool was_low_ = false;  // at the look before
  bool moved_ = false;    // since the look before
};

}  // namespace evojail
