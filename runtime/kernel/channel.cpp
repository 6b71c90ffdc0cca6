#include "kernel/channel.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>

namespace evojail {
namespace {

constexpr std::size_t most_fds = 8;
using ControlBuffer = std::array<char, CMSG_SPACE(most_fds * sizeof(int))>;

std::vector<Fd> take_fds(msghdr& message) {
  std::vector<Fd> fds;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

/// Waits for a message and leaves it there (recv(2), MSG_TRUNC). 0: the peer has gone.
Result<std::size_t> size_of_next(int socket) {
  for (;;) {
    const ssize_t size = ::recv(socket, nullptr, 0, MSG_PEEK | MSG_TRUNC);
    if (size >= 0) return static_cast<std::size_t>(size);
    // The peer has gone without reading all. That is said once, before what it had to say itself.
    if (errno != EINTR && errno != ECONNRESET) return fail_errno("receiving", "a message");
  }
}

}  // namespace

Result<std::pair<Fd, Fd>> channel_pair() {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail_errno("making", "a socket pair");
  }
  return std::pair{Fd(pair[0]), Fd(pair[1])};
}

Result<void> make_room(const std::pair<Fd, Fd>& channel, int messages) {
  // What the kernel counts for one that is short: 768 bytes on x86-64.
  constexpr int cost = 1024;
  const int bytes = messages * cost;
  for (const int fd : {channel.first.get(), channel.second.get()}) {
    if (::setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes) != 0) {
      return fail_errno("making room in", "a channel");
    }
  }
  return {};
}

Result<void> send_packet(int socket, std::string_view bytes, std::initializer_list<int> fds) {
  if (fds.size() > most_fds) return fail("sending a message: too many descriptors");
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) ControlBuffer control{};
  if (fds.size() > 0) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.begin(), fds.size() * sizeof(int));
  }
  while (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) return fail_errno("sending", "a message");
  }
  return {};
}

Result<std::optional<Packet>> receive_packet(int socket, std::size_t limit) {
  Packet packet;
  // A buffer of the limit's size would stay a process's own for life.
  TRY(const auto waiting, size_of_next(socket));
  packet.bytes.resize(std::min(waiting, limit));
  iovec part{packet.bytes.data(), packet.bytes.size()};
  msghdr message{};
  alignas(cmsghdr) ControlBuffer control{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t got = 0;
  while ((got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC)) < 0) {
    if (errno == ECONNRESET) return std::nullopt;
    if (errno != EINTR) return fail_errno("receiving", "a message");
  }
  packet.fds = take_fds(message);
  if (got == 0 && packet.fds.empty()) return std::nullopt;
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return fail("receiving a message: it is longer than it may be");
  }
  packet.bytes.resize(static_cast<std::size_t>(got));
  return packet;
}

}  // namespace evojail
