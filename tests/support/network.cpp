#include "support/network.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <vector>

namespace evojail::test {
namespace {

using namespace std::string_literals;

constexpr int kPatience = 10'000;  // milliseconds, for what is bound to happen

[[noreturn]] void give_up(const std::string& what) {
  throw std::runtime_error(fmt::format("{}: {}", what, std::strerror(errno)));
}

Fd this_space() {
  Fd space(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!space) give_up("opening the network namespace");
  return space;
}

Fd new_space() {
  if (::unshare(CLONE_NEWNET) != 0) give_up("making a network namespace");
  run("ip link set lo up");
  return this_space();
}

Fd tcp_socket(int family) {
  Fd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) give_up("making a socket");
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  return socket;
}

constexpr const char* kHostMac = "02:00:00:00:00:01";
constexpr const char* kClientMac = "02:00:00:00:00:02";

/// Addresses that are good at once and neighbours known from the start: no packet is lost or late
/// for a resolution, so each can be counted on.
void set_up(const std::vector<std::string>& addresses, const std::vector<std::string>& neighbours,
            const char* mac) {
  set_sysctl("/proc/sys/net/ipv6/conf/veth0/accept_dad", "0");
  std::string commands = "ip link set veth0 up";
  for (const auto& address : addresses) {
    commands += fmt::format(" && ip addr add {} dev veth0{}", address,
                            address.find(':') == std::string::npos ? "" : " nodad");
  }
  for (const auto& neighbour : neighbours) {
    commands +=
        fmt::format(" && ip neigh add {} lladdr {} nud permanent dev veth0", neighbour, mac);
  }
  run(commands);
}

bool ready(int fd, short events, int timeout) {
  pollfd one{fd, events, 0};
  return ::poll(&one, 1, timeout) == 1;
}

}  // namespace

Network::Network() : outside_(this_space()) {
  client_ = new_space();
  host_ = new_space();
  // `ip` is another process: it finds the namespace by this one's descriptor.
  run(
      fmt::format("ip link add veth0 address {} type veth peer name veth0 address {} netns "
                  "/proc/{}/fd/{}",
                  kHostMac, kClientMac, ::getpid(), client_.get()));
  set_up({host4 + "/24"s, host6 + "/64"s}, {client4, other4, far4, client6, other6, far6},
         kClientMac);
  run("ip route add 10.98.0.0/24 dev veth0; ip route add fd98::/16 dev veth0");
  as_client([] {
    set_up({client4 + "/24"s, other4 + "/24"s, far4 + "/32"s, client6 + "/64"s, other6 + "/64"s,
            far6 + "/128"s},
           {host4, host6}, kHostMac);
  });
}

Network::~Network() { enter(outside_); }

void Network::enter(const Fd& space) {
  // A test in the wrong namespace would change the machine's own rules.
  if (::setns(space.get(), CLONE_NEWNET) != 0) std::abort();
}

std::string run(const std::string& command) {
  std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(("( " + command + "\n) 2>&1").c_str(), "re"),
                                             ::pclose);
  if (!pipe) give_up(command);
  std::string output;
  char chunk[4096];
  while (const std::size_t got = std::fread(chunk, 1, sizeof chunk, pipe.get())) {
    output.append(chunk, got);
  }
  if (const int status = ::pclose(pipe.release()); status != 0) {
    throw std::runtime_error(fmt::format("{}: status {}: {}", command, status, output));
  }
  return output;
}

void set_sysctl(const std::string& path, const std::string& value) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), value.data(), value.size()) < 0) give_up(path);
}

Address::Address(const std::string& ip, std::uint16_t port) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
  if (::inet_pton(AF_INET, ip.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    length = sizeof *v4;
  } else if (::inet_pton(AF_INET6, ip.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    length = sizeof *v6;
  } else {
    throw std::runtime_error("no address: " + ip);
  }
}

Fd listen_on(std::uint16_t port) {
  Fd socket = tcp_socket(AF_INET6);
  const Address any("::", port);
  if (::bind(socket.get(), any.get(), any.length) != 0) give_up("binding");
  if (::listen(socket.get(), 128) != 0) give_up("listening");
  return socket;
}

std::uint16_t port_of(const Fd& socket) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    give_up("getsockname");
  }
  return ntohs(storage.ss_family == AF_INET ? reinterpret_cast<sockaddr_in*>(&storage)->sin_port
                                            : reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port);
}

Fd start_connect(const std::string& source, const std::string& destination, std::uint16_t port) {
  const Address from(source, 0);
  const Address to(destination, port);
  Fd socket = tcp_socket(to.family());
  if (::bind(socket.get(), from.get(), from.length) != 0) give_up("binding to " + source);
  if (::connect(socket.get(), to.get(), to.length) != 0 && errno != EINPROGRESS) {
    give_up("connecting to " + destination);
  }
  return socket;
}

bool connected(const Fd& socket) {
  if (!ready(socket.get(), POLLOUT, kPatience)) return false;
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length) == 0 && error == 0;
}

bool still_connecting(const Fd& socket) { return !ready(socket.get(), POLLOUT, 0); }

Fd accept_as_uid(const Fd& listener, std::uint32_t uid) {
  if (!ready(listener.get(), POLLIN, kPatience)) throw std::runtime_error("nobody connected");
  const int before = ::setfsuid(uid);
  Fd socket(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  const int code = errno;
  ::setfsuid(static_cast<uid_t>(before));
  errno = code;
  if (!socket) give_up("accepting");
  return socket;
}

bool somebody_waits(const Fd& listener) { return ready(listener.get(), POLLIN, 0); }

bool carries(const Fd& from, const Fd& to, const std::string& text) {
  std::size_t sent = 0;
  std::string received;
  while (received.size() < text.size()) {
    if (sent < text.size()) {
      const ssize_t put = ::send(from.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (put < 0 && errno != EAGAIN) return false;
      if (put > 0) sent += static_cast<std::size_t>(put);
    }
    char chunk[1 << 16];
    const ssize_t got = ::recv(to.get(), chunk, sizeof chunk, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN)) return false;
    if (got > 0) received.append(chunk, static_cast<std::size_t>(got));
    if (got < 0 && !ready(to.get(), POLLIN, sent < text.size() ? 1 : kPatience) &&
        sent == text.size()) {
      return false;
    }
  }
  return received == text;
}

}  // namespace evojail::test
