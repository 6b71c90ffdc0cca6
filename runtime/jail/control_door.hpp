#pragma once

#include <functional>
#include <map>
#include <string_view>

#include "base/fd.hpp"
#include "jail/event_loop.hpp"
#include "jail/log.hpp"

namespace evojail {

/// A supervisor's end of the control socket: takes root's connections in and hands each one's
/// request on when it has come. Nobody is waited for: who connects and asks nothing is dropped
/// after ten seconds.
class ControlDoor {
 public:
  using OnRequest = std::function<void(std::string_view request, Fd connection)>;

  ControlDoor(EventLoop& loop, LogSink log, OnRequest on_request)
      : loop_(loop), log_(std::move(log)), on_request_(std::move(on_request)) {}

  /// The listening socket stays the caller's.
  [[nodiscard]] Result<void> open(int listener);

 private:
  void admit(int listener);
  void pause(int listener);
  void hear(int connection);
  Fd dismiss(int connection);

  struct Visitor {
    Fd connection;
    EventLoop::TimerId timer = 0;
  };

  EventLoop& loop_;
  LogSink log_;
  OnRequest on_request_;
  std::map<int, Visitor> visitors_;
};

}  // namespace evojail
