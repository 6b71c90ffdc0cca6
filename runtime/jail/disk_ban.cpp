#include "jail/disk_ban.hpp"

#include <algorithm>

namespace evojail {

void DiskBan::begin(Clock::time_point now) noexcept {
  // Several sessions that are ended one behind the other are one go.
  if (!holds(now)) {
    until_ = now + next_;
    next_ = std::min(2 * next_, longest);
  }
}

void DiskBan::lift() noexcept { *this = {}; }

}  // namespace evojail
