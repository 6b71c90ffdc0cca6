#pragma once

#include <array>
#include <chrono>
#include <cstddef>

#include "base/result.hpp"
#include "store/tree_record.hpp"

namespace evojail {

/// The clock at one moment: the time that inodes are stamped with, and how far it is from the one
/// that nobody sets (clock_gettime(2), CLOCK_REALTIME and CLOCK_BOOTTIME).
struct TreeMoment {
  TreeTime real;
  std::chrono::nanoseconds offset{};

  [[nodiscard]] static TreeMoment now();
};

/// Whether nobody set the clock between two moments: the offsets differ by less than a second
/// (rule 4; slewing, as NTP does it, stays far below).
[[nodiscard]] bool steady(const TreeMoment& begin, const TreeMoment& end);

/// `time` minus a number of whole seconds.
[[nodiscard]] TreeTime seconds_before(const TreeTime& time, std::int64_t seconds);

/// What tells one boot of this machine from the next (/proc/sys/kernel/random/boot_id).
[[nodiscard]] Result<std::array<std::byte, 16>> boot_id();

}  // namespace evojail
