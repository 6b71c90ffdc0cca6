#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "kernel/firewall.hpp"

namespace evojail {

/// Hears of every change to the tables of this network namespace (NFNLGRP_NFTABLES) and tells
/// whether evojail's own may have been touched by somebody else.
class FirewallWatch {
 public:
  /// Starts to listen; what `own` changes from now on is passed over.
  [[nodiscard]] static Result<FirewallWatch> open(Firewall& own);
  FirewallWatch(FirewallWatch&&) noexcept;
  FirewallWatch& operator=(FirewallWatch&&) noexcept;
  ~FirewallWatch();

  /// To poll for POLLIN; non-blocking.
  [[nodiscard]] int fd() const;

  /// Reads what has arrived. True: the table may have changed (messages that were lost count as a
  /// change), so compare it. Another evojail process is somebody else, too.
  [[nodiscard]] Result<bool> changed();

 private:
  class Socket;
  explicit FirewallWatch(std::unique_ptr<Socket> socket);
  std::unique_ptr<Socket> socket_;
};

}  // namespace evojail
