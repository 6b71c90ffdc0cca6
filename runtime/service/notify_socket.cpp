#include "service/notify_socket.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace evojail {
namespace {

constexpr std::size_t kLongestNotice = 8192;

/// The kernel's choice of a name: a zero byte and five hexadecimal digits (autobind, unix(7)).
Result<std::string> bind_anywhere(int socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t)) != 0) {
    return fail_errno("binding", "a notification socket");
  }
  socklen_t size = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return fail_errno("naming", "a notification socket");
  }
  std::string name(address.sun_path, size - offsetof(sockaddr_un, sun_path));
  name.front() = '@';
  return name;
}

std::optional<pid_t> sender_of(msghdr& message) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS) continue;
    ucred credentials{};
    std::memcpy(&credentials, CMSG_DATA(part), sizeof credentials);
    return credentials.pid;
  }
  return std::nullopt;
}

}  // namespace

Result<NotifySocket> NotifySocket::open() {
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail_errno("making", "a notification socket");
  const int on = 1;
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
    return fail_errno("setting up", "a notification socket");
  }
  TRY(auto address, bind_anywhere(socket.get()));
  return NotifySocket(std::move(socket), std::move(address));
}

Result<std::optional<std::string>> NotifySocket::receive(pid_t sender) {
  for (;;) {
    std::string bytes(kLongestNotice, '\0');
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
    iovec part{bytes.data(), bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
    if (size < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) return std::nullopt;
      return fail_errno("reading", "a notification socket");
    }
    if (sender_of(message) != sender) continue;
    bytes.resize(static_cast<std::size_t>(size));
    return bytes;
  }
}

}  // namespace evojail
