#include "jail/control_door.hpp"

#include "kernel/channel.hpp"
#include "kernel/unix_socket.hpp"

namespace evojail {
namespace {

constexpr std::chrono::seconds patience{10};
/// A reply fits into any socket's buffer: only one that is stopped up on purpose takes longer.
constexpr std::chrono::seconds reply_patience{1};
constexpr std::size_t request_limit = 4096;

}  // namespace

Result<void> ControlDoor::open(int listener) {
  return loop_.watch(listener, [this, listener] { admit(listener); });
}

void ControlDoor::admit(int listener) {
  auto connection = accept_root(listener);
  if (!connection) {
    log_(LogLevel::warning, connection.error().message());
    if (connection.error().code() != 0) pause(listener);
    return;
  }
  const int fd = connection->get();
  if (const auto set = set_patience(fd, reply_patience); !set) {
    return log_(LogLevel::warning, set.error().message());
  }
  if (const auto watched = loop_.watch(fd, [this, fd] { hear(fd); }); !watched) {
    return log_(LogLevel::warning, watched.error().message());
  }
  const auto timer =
      loop_.at(EventLoop::Clock::now() + patience, [this, fd] { static_cast<void>(dismiss(fd)); });
  visitors_.insert_or_assign(fd, Visitor{std::move(*connection), timer});
}

/// Out of descriptors or memory: whoever knocks stays in the queue, the loop must not spin on it.
void ControlDoor::pause(int listener) {
  loop_.pause(listener, EventLoop::Clock::now() + std::chrono::seconds(1),
              [this](const Error& error) {
                log_(LogLevel::error, error.message());
                loop_.stop();
              });
}

void ControlDoor::hear(int connection) {
  Fd visitor = dismiss(connection);
  const auto packet = receive_packet(visitor.get(), request_limit);
  if (packet && *packet) on_request_((*packet)->bytes, std::move(visitor));
}

Fd ControlDoor::dismiss(int connection) {
  auto visitor = visitors_.extract(connection);
  if (visitor.empty()) return {};
  loop_.unwatch(connection);
  loop_.cancel(visitor.mapped().timer);
  return std::move(visitor.mapped().connection);
}

}  // namespace evojail
