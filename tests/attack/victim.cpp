#include "victim.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace evojail::attack {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

const sockaddr* generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

void greet(int fd) {
  if (fd >= 0) ::send(fd, kGreeting, sizeof kGreeting - 1, MSG_NOSIGNAL);
}

/// One call of the stranger: whoever answers within a moment is greeted.
void call(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const sockaddr_in address = loopback(port);
  ::connect(fd, generic(address), sizeof address);
  pollfd wait{fd, POLLOUT, 0};
  if (::poll(&wait, 1, 50) == 1 && (wait.revents & (POLLERR | POLLHUP)) == 0) greet(fd);
  ::close(fd);
}

}  // namespace

int be_victim(std::uint16_t service_port, std::uint16_t called_port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const int queue = 64;
  ::setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof queue);
  const sockaddr_in address = loopback(service_port);
  if (::bind(listener, generic(address), sizeof address) != 0 || ::listen(listener, queue) != 0) {
    return 1;
  }
  for (;;) {
    pollfd wait{listener, POLLIN, 0};
    if (::poll(&wait, 1, 20) == 1) {
      const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      greet(fd);
      ::close(fd);
    }
    call(called_port);
  }
}

}  // namespace evojail::attack
