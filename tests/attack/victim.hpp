#pragma once

#include <cstdint>

namespace evojail::attack {

/// What the victim says to whoever reaches it, and the stranger to whoever answers it.
constexpr char kGreeting[] = "secret";

/// The two parties on the host's loopback that a jail must not meet, until killed: a service on
/// `service_port` that greets each connection, and a stranger that keeps calling `called_port`,
/// where nobody listens, and greets whoever answers. Neither waits for the other. Both ports are of
/// 127.0.0.1.
/// @return an exit code, on failure only
int be_victim(std::uint16_t service_port, std::uint16_t called_port);

/// The port that the stranger calls, beside the service's.
constexpr std::uint16_t called_port(std::uint16_t service_port) {
  return static_cast<std::uint16_t>(service_port + 1);
}

}  // namespace evojail::attack
