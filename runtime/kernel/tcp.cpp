#include "kernel/tcp.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
// linux/tcp.h, not netinet/tcp.h: glibc's tcp_info ends before the byte counters.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace evojail {
namespace {

constexpr int user_timeout_ms = 180'000;

template <class T>
Result<void> set_option(int socket, int level, int option, T value, std::string_view name) {
  if (::setsockopt(socket, level, option, &value, sizeof value) == 0) return {};
  return fail_errno("setting socket option", name);
}

Endpoint endpoint_of(const sockaddr_storage& storage) {
  Endpoint endpoint;
  if (storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &storage, sizeof v4);
    endpoint.port = ntohs(v4.sin_port);
    endpoint.address.length = 32;
    std::memcpy(endpoint.address.bytes.data(), &v4.sin_addr, 4);
    return endpoint;
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, &storage, sizeof v6);
  endpoint.port = ntohs(v6.sin6_port);
  if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    endpoint.address.length = 32;
    std::memcpy(endpoint.address.bytes.data(), &v6.sin6_addr.s6_addr[12], 4);
    return endpoint;
  }
  endpoint.address.family = Prefix::Family::v6;
  endpoint.address.length = 128;
  std::memcpy(endpoint.address.bytes.data(), &v6.sin6_addr, 16);
  return endpoint;
}

Result<void> bind_and_listen(int socket, const sockaddr* address, socklen_t size,
                             std::uint16_t port) {
  CHECK(set_option(socket, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR"));
  if (::bind(socket, address, size) != 0 || ::listen(socket, 128) != 0) {
    Error error = Error::system("listening on port", std::to_string(port), errno);
    if (error.code() != EADDRINUSE) return std::unexpected(std::move(error));
    return std::unexpected(std::move(error).hint(
        fmt::format("see who has it with 'ss -ltnp sport = :{}', or choose another port", port)));
  }
  return {};
}

}  // namespace

std::string to_string(const Endpoint& endpoint) {
  return fmt::format("{} port {}", to_string(endpoint.address), endpoint.port);
}

Result<Fd> listen_tcp(std::uint16_t port) {
  constexpr int type = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;
  if (Fd socket(::socket(AF_INET6, type, 0)); socket) {
    CHECK(set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0, "IPV6_V6ONLY"));
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_port = htons(port);
    CHECK(bind_and_listen(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any, port));
    return socket;
  }
  if (errno != EAFNOSUPPORT) return fail_errno("making", "a TCP socket");
  Fd socket(::socket(AF_INET, type, 0));
  if (!socket) return fail_errno("making", "a TCP socket");
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(port);
  CHECK(bind_and_listen(socket.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any, port));
  return socket;
}

Result<std::uint16_t> local_port(int socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return fail_errno("asking for the port of", "the listening socket");
  }
  if (storage.ss_family != AF_INET && storage.ss_family != AF_INET6) {
    return fail("the listening socket is no TCP socket");
  }
  return endpoint_of(storage).port;
}

Result<Accepted> accept_as(int listener, std::uint32_t owner) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  ::setfsuid(owner);
  const int fd = ::accept4(listener, reinterpret_cast<sockaddr*>(&storage), &size, SOCK_CLOEXEC);
  const int code = errno;
  ::setfsuid(0);
  if (fd < 0) return fail_errno("accepting", "a connection", code);
  Accepted accepted{Fd(fd), endpoint_of(storage)};
  CHECK(set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1, "SO_KEEPALIVE"));
  CHECK(set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60, "TCP_KEEPIDLE"));
  CHECK(set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 30, "TCP_KEEPINTVL"));
  CHECK(set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms, "TCP_USER_TIMEOUT"));
  return accepted;
}

Traffic traffic_of(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return {};
  // tcpi_bytes_acked counts the SYN as one byte.
  return {info.tcpi_bytes_received, info.tcpi_bytes_acked > 0 ? info.tcpi_bytes_acked - 1 : 0};
}

bool is_connected(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  constexpr std::uint8_t established = 1;  // net/tcp_states.h; netinet/tcp.h has it, see above
  return info.tcpi_state == established;
}

void reset_connection(int socket) {
  // connect(AF_UNSPEC) on a TCP socket disconnects it with a reset (tcp_disconnect), and unlike
  // close(2) it does so whatever other process has the socket open.
  sockaddr unspecified{};
  unspecified.sa_family = AF_UNSPEC;
  const linger now{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::connect(socket, &unspecified, sizeof unspecified);
}

}  // namespace evojail
