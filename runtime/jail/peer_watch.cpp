#include "jail/peer_watch.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/amount.hpp"
#include "kernel/tcp.hpp"

namespace evojail {

PeerWatch::PeerWatch(const SupervisorState& state, EventLoop& loop, SessionTable& sessions,
                     LogSink log)
    : state_(state), loop_(loop), sessions_(sessions), log_(std::move(log)) {}

void PeerWatch::watch() {
  if (!watching_) look();
}

void PeerWatch::look() {
  watching_ = !state_.sessions.empty();
  if (!watching_) return gone_.clear();
  loop_.at(EventLoop::Clock::now() + interval, [this] { look(); });
  std::set<std::uint32_t> gone;
  for (const auto& [id, session] : state_.sessions) {
    if (!is_connected(session.socket.get())) gone.insert(id);
  }
  const auto before = std::exchange(gone_, std::move(gone));
  const auto ended = sessions_.end_where([&](const Session& session) {
    return gone_.contains(session.id) && before.contains(session.id);
  });
  if (ended == 0) return;
  log_(LogLevel::warning,
       fmt::format("ending {} that outlived their connection", count_of(ended, "session")));
}

}  // namespace evojail
