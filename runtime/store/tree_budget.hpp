#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "store/tree_inc.hpp"

namespace evojail {

/// Asks the caller's space guard now and then, never more than 16 MiB late, instead of at each
/// file.
class TreeBudget {
 public:
  explicit TreeBudget(TreeSpaceGuard guard) : guard_(std::move(guard)) {}

  /// `bytes` are about to be written.
  [[nodiscard]] Result<void> spend(std::uint64_t bytes) {
    constexpr std::uint64_t step = std::uint64_t{16} << 20;
    if (!guard_) return {};
    if (unasked_.fetch_add(bytes, std::memory_order_relaxed) + bytes < step) return {};
    const std::lock_guard lock(mutex_);
    const std::uint64_t sum = unasked_.exchange(0, std::memory_order_relaxed);
    return sum == 0 ? Result<void>{} : guard_(sum);
  }

 private:
  const TreeSpaceGuard guard_;
  std::mutex mutex_;
  std::atomic<std::uint64_t> unasked_ = 0;
};

}  // namespace evojail
