#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <system_error>
#include <thread>
#include <vector>

namespace evojail {

/// Calls `work(i)` for each i below `count`, from up to `threads` threads, the caller's own among
/// them, and returns when all are done. Fewer threads than asked for are made where the system has
/// no more.
template <class Work>
void for_each_index(std::size_t count, std::size_t threads, const Work& work) {
  std::atomic<std::size_t> next = 0;
  const auto run = [&next, &work, count] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::jthread> others;
  try {
    for (std::size_t i = 1; i < std::min(count, threads); ++i) others.emplace_back(run);
  } catch (const std::system_error&) {
    // EAGAIN: a limit on processes. Those that there are do the work.
  }
  run();
}

/// The same, but the first `work` begins when all threads are there: for system calls that cost
/// less when they are made together.
template <class Work>
void at_once(std::size_t count, std::size_t threads, const Work& work) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> begun = false;
  const auto run = [&next, &begun, &work, count] {
    begun.wait(false);
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::jthread> others;
  // Or a failure to grow it would leave those that wait behind.
  others.reserve(std::min(count, threads));
  try {
    for (std::size_t i = 1; i < std::min(count, threads); ++i) others.emplace_back(run);
  } catch (const std::system_error&) {
    // As above.
  }
  begun = true;
  begun.notify_all();
  run();
}

}  // namespace evojail
