#include "jail/event_loop.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <string>

namespace evojail {
namespace {

/// What an event carries. A descriptor alone does not say whose it is: within one round the number
/// may have been closed and given to another one.
constexpr std::uint64_t tag_of(int fd, std::uint32_t watch) {
  return std::uint64_t{watch} << 32 | static_cast<std::uint32_t>(fd);
}

constexpr int fd_of(std::uint64_t tag) { return static_cast<int>(tag & 0xffffffffU); }

}  // namespace

Result<EventLoop> EventLoop::make() {
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll) return fail_errno("making", "an epoll descriptor");
  return EventLoop(std::move(epoll));
}

Result<void> EventLoop::watch(int fd, Callback callback) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = tag_of(fd, ++last_watch_);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return fail_errno("watching descriptor", std::to_string(fd));
  }
  watched_[fd] = {last_watch_, std::make_shared<Callback>(std::move(callback))};
  return {};
}

void EventLoop::unwatch(int fd) {
  if (watched_.erase(fd) > 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void EventLoop::pause(int fd, Clock::time_point when, std::function<void(const Error&)> failed) {
  const auto found = watched_.find(fd);
  if (found == watched_.end()) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  // Another number: neither an event of this round nor a later watch of `fd` is this one's.
  const std::uint32_t number = found->second.number = ++last_watch_;
  at(when, [this, fd, number, failed = std::move(failed)] {
    const auto paused = watched_.find(fd);
    if (paused == watched_.end() || paused->second.number != number) return;
    const auto callback = paused->second.callback;
    if (const auto watched = watch(fd, *callback); !watched) {
      unwatch(fd);
      failed(watched.error());
    }
  });
}

EventLoop::TimerId EventLoop::at(Clock::time_point when, Callback callback) {
  timers_.emplace(when, std::pair{++last_timer_, std::move(callback)});
  return last_timer_;
}

void EventLoop::cancel(TimerId timer) {
  std::erase_if(timers_, [&](const auto& entry) { return entry.second.first == timer; });
}

int EventLoop::timeout_ms() const {
  if (timers_.empty()) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

void EventLoop::run_due_timers() {
  const auto now = Clock::now();
  const TimerId last = last_timer_;
  while (running_) {
    // What the callbacks add waits for the next round, so that descriptors have their turn.
    const auto due = std::ranges::find_if(timers_, [&](const auto& timer) {
      return timer.first > now || timer.second.first <= last;
    });
    if (due == timers_.end() || due->first > now) return;
    const auto timer = timers_.extract(due);
    timer.mapped().second();
  }
}

Result<void> EventLoop::run() {
  running_ = true;
  std::array<epoll_event, 32> events{};
  while (running_) {
    const int ready = ::epoll_wait(epoll_.get(), events.data(), events.size(), timeout_ms());
    if (ready < 0 && errno != EINTR) return fail_errno("waiting on", "an epoll descriptor");
    for (int i = 0; i < ready && running_; ++i) {
      // An earlier callback of this round may have unwatched it.
      const std::uint64_t tag = events[static_cast<std::size_t>(i)].data.u64;
      const auto found = watched_.find(fd_of(tag));
      if (found == watched_.end() || tag_of(found->first, found->second.number) != tag) continue;
      const auto callback = found->second.callback;
      (*callback)();
    }
    run_due_timers();
  }
  return {};
}

}  // namespace evojail
