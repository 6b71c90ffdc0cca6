#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

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

/// What tells one boot of this machine from the next.
using BootId = std::array<std::byte, 16>;

/// Of the boot that runs (/proc/sys/kernel/random/boot_id).
[[nodiscard]] Result<BootId> boot_id();

/// The 32 hexadecimal digits of a boot's id, with or without dashes; anything else is no value.
[[nodiscard]] std::optional<BootId> parse_boot_id(std::string_view text);
[[nodiscard]] std::string format_boot_id(const BootId& id);

}  // namespace evojail
