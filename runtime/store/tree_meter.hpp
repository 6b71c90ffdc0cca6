#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "store/tree_report.hpp"

namespace evojail {

/// Counts what all threads of a walk have done and tells the caller ten times a second at most.
class TreeMeter {
 public:
  TreeMeter(TreeProgressCallback callback, std::uint64_t expected_entries)
      : callback_(std::move(callback)), expected_(expected_entries) {}

  void add(std::uint64_t entries, std::uint64_t bytes) {
    entries_.fetch_add(entries, std::memory_order_relaxed);
    bytes_.fetch_add(bytes, std::memory_order_relaxed);
    if (callback_) tell();
  }
  [[nodiscard]] std::uint64_t entries() const { return entries_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  void tell() {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    const auto now = std::chrono::steady_clock::now();
    if (!lock || now - told_ < std::chrono::milliseconds(100)) return;
    told_ = now;
    callback_({.entries = entries(), .expected_entries = expected_, .bytes = bytes()});
  }

  const TreeProgressCallback callback_;
  const std::uint64_t expected_;
  std::atomic<std::uint64_t> entries_ = 0;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point told_{};
};

}  // namespace evojail
