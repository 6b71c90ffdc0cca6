#pragma once

#include <cstdint>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "config/address.hpp"

namespace evojail {

/// One end of a connection: its address (of full length) and port.
struct Endpoint {
  Prefix address;
  std::uint16_t port = 0;
};

/// "192.0.2.7 port 50022", as sshd writes it.
[[nodiscard]] std::string to_string(const Endpoint& endpoint);

/// A non-blocking TCP listener on every address of the host, IPv6 and IPv4 by one socket (ipv6(7),
/// IPV6_V6ONLY=0), or IPv4 alone where the kernel has no IPv6.
[[nodiscard]] Result<Fd> listen_tcp(std::uint16_t port);

/// The port that a listening socket is bound to.
[[nodiscard]] Result<std::uint16_t> local_port(int socket);

struct Accepted {
  Fd socket;
  Endpoint peer;
};

/// accept4(2) with the file-system uid `owner` for the length of the call: the socket's file then
/// carries that uid for good, and nft's `meta skuid` knows the jail by it (the output wall). An
/// error with code EAGAIN when nobody is waiting. The caller must be single-threaded or own its
/// credentials. Keepalive and TCP_USER_TIMEOUT (tcp(7)) are set so that a peer that vanished is
/// noticed.
[[nodiscard]] Result<Accepted> accept_as(int listener, std::uint32_t owner);

/// Bytes that the connection carried, from TCP_INFO.
struct Traffic {
  std::uint64_t received = 0;
  std::uint64_t sent = 0;  ///< and acknowledged by the peer
};
[[nodiscard]] Traffic traffic_of(int socket);

/// Ends a connection at once, whoever else holds it: a reset to the peer.
void reset_connection(int socket);

/// Whether both sides still keep the connection: neither has closed its end, nor has it been reset.
[[nodiscard]] bool is_connected(int socket);

}  // namespace evojail
