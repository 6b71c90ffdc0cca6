#pragma once

#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <system_error>
#include <thread>

namespace evojail {

/// Brings to the disk what an inc consists of once before its end, when most of it is there, while
/// the walk goes on: then there is little left to wait for. What fails here fails again at the end,
/// of which syncfs(2) tells every open file by itself: `dir` is one that nothing else is synced by.
class TreeEarlySync {
 public:
  /// `names`: how many there will be, 0 where unknown.
  TreeEarlySync(int dir, std::uint64_t names)
      : dir_(dir), at_(names < kWorthIt ? UINT64_MAX : names / 10 * 6) {}

  /// Any thread may call it.
  void look(std::uint64_t done) {
    if (done < at_ || begun_.exchange(true)) return;
    try {
      thread_ = std::jthread([dir = dir_] { ::syncfs(dir); });
    } catch (const std::system_error&) {
      // As many threads as there can be: all is left to the end.
    }
  }

 private:
  static constexpr std::uint64_t kWorthIt = 20'000;

  const int dir_;
  const std::uint64_t at_;
  std::atomic<bool> begun_ = false;
  std::jthread thread_;
};

}  // namespace evojail
