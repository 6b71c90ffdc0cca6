#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace evojail {

/// How many threads a walk uses: `wanted`, or where that is 0 one a processor, between 2 and 8.
[[nodiscard]] inline unsigned tree_threads(unsigned wanted) {
  return wanted != 0 ? wanted : std::clamp(std::thread::hardware_concurrency(), 2U, 8U);
}

/// Work shared by several threads, each of which may add to it. Bounded: whoever finds no room
/// keeps the work for itself. All is done when the queue is empty and nobody works on what came out
/// of it.
template <class Item>
class TreeQueue {
 public:
  explicit TreeQueue(std::size_t room) : room_(room) {}

  /// Takes `item` if there is room; otherwise it stays with the caller.
  [[nodiscard]] bool try_push(Item& item) {
    {
      const std::lock_guard lock(mutex_);
      if (items_.size() >= room_ || stopped_) return false;
      items_.push_back(std::move(item));
    }
    changed_.notify_one();
    return true;
  }

  /// Waits for work; nothing when all is done, or after stop(). Each item taken ends with
  /// finished().
  [[nodiscard]] std::optional<Item> pop() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || !items_.empty() || busy_ == 0; });
    if (stopped_ || items_.empty()) return std::nullopt;
    ++busy_;
    Item item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

  void finished() {
    {
      const std::lock_guard lock(mutex_);
      if (--busy_ != 0 || !items_.empty()) return;
    }
    changed_.notify_all();
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_;
  const std::size_t room_;
  std::size_t busy_ = 0;
  bool stopped_ = false;
};

/// Runs `work()` in `threads` threads, the caller's own among them, and waits for all. Where the
/// system gives fewer threads, fewer do the same work.
template <class Work>
void run_in_threads(unsigned threads, Work work) {
  std::vector<std::jthread> others;
  others.reserve(threads);
  try {
    while (others.size() + 1 < threads) others.emplace_back([&work] { work(); });
  } catch (const std::system_error&) {
  }
  work();
}

}  // namespace evojail
