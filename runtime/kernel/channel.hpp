#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace evojail {

/// A message with descriptors, over a SOCK_SEQPACKET socket: whole or not at all.
struct Packet {
  std::string bytes;
  std::vector<Fd> fds;
};

/// A connected pair of SOCK_SEQPACKET sockets (unix(7)).
[[nodiscard]] Result<std::pair<Fd, Fd>> channel_pair();

/// Makes room for so many short messages that nobody has read yet, each way, whatever the host's
/// default (socket(7), SO_SNDBUFFORCE): up to there send_packet() does not wait.
[[nodiscard]] Result<void> make_room(const std::pair<Fd, Fd>& channel, int messages);

/// Sends one message, with at most 8 descriptors (SCM_RIGHTS). Waits while the peer's queue is
/// full.
[[nodiscard]] Result<void> send_packet(int socket, std::string_view bytes,
                                       std::initializer_list<int> fds = {});

/// Receives one message of at most `limit` bytes; nullopt when the peer has gone. Descriptors
/// arrive with close-on-exec. A truncated message is an error.
[[nodiscard]] Result<std::optional<Packet>> receive_packet(int socket, std::size_t limit = 1 << 16);

}  // namespace evojail
