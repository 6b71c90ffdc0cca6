#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace evojail {

/// The receiving end of sd_notify(3): a datagram socket in the abstract namespace (unix(7)), whose
/// name has no length to worry about and goes with the socket.
class NotifySocket {
 public:
  [[nodiscard]] static Result<NotifySocket> open();

  /// For NOTIFY_SOCKET: "@…".
  [[nodiscard]] const std::string& address() const noexcept { return address_; }
  /// To poll for POLLIN.
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }

  /// The next notification that `sender` itself has sent (SCM_CREDENTIALS); anybody can write to an
  /// abstract socket, so what others sent is dropped. nullopt: there is none now.
  [[nodiscard]] Result<std::optional<std::string>> receive(pid_t sender);

 private:
  NotifySocket(Fd socket, std::string address)
      : socket_(std::move(socket)), address_(std::move(address)) {}

  Fd socket_;
  std::string address_;
};

}  // namespace evojail
