#include "jail/mknod_service.hpp"

#include <fmt/format.h>

#include "jail/device_places.hpp"

namespace evojail {

MknodService::MknodService(SupervisorState& state, EventLoop& loop, LogSink log,
                           std::vector<std::string> places)
    : state_(state), loop_(loop), log_(std::move(log)), places_(std::move(places)) {}

Result<void> MknodService::attach() {
  const int listener = state_.init.mknod_listener.get();
  if (listener < 0) return {};
  TRY(proxy_, MknodProxy::make(listener, state_.init.process.pid(), state_.base_uid, places_));
  return loop_.watch(listener, [this] { on_call(); });
}

std::string MknodService::refusal() const {
  if (!proxy_) return "device nodes are refused: what makes them has failed; restart the jail";
  const auto place = first_without_nodev(places_);
  if (!place) return "device nodes are refused: " + place.error().message();
  if (place->empty()) return {};
  return fmt::format("device nodes are refused: '{}' is not mounted nodev", *place);
}

void MknodService::on_call() {
  if (!rate_.take(TokenBucket::Clock::now())) return wait_for_token();
  if (const auto served = proxy_->serve_one(); !served) give_up(served.error());
}

void MknodService::wait_for_token() {
  loop_.pause(state_.init.mknod_listener.get(), rate_.next(TokenBucket::Clock::now()),
              [this](const Error& error) { give_up(error); });
}

void MknodService::give_up(const Error& error) {
  log_(LogLevel::error, "device nodes are refused from here on: " + error.message());
  loop_.unwatch(state_.init.mknod_listener.get());
  proxy_.reset();
  state_.init.mknod_listener.reset();
}

}  // namespace evojail
