// The session's socket was accepted in the host's network namespace: a door to it for whoever takes
// over sshd. The peer on 127.0.0.1 that says its word is the proof that it was passed.

#include <linux/io_uring.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstring>

#include "probe.hpp"
#include "victim.hpp"

namespace evojail::attack {
namespace {

constexpr int kConnection = 0;
constexpr int kPatience = 5000;  // ms; whoever is reached on loopback answers in a fraction of that

/// An address of the host's loopback, in the family of the connection (the listener is of both).
struct Loopback {
  explicit Loopback(std::uint16_t port) {
    sockaddr_storage own{};
    socklen_t size = sizeof own;
    ::getsockname(kConnection, reinterpret_cast<sockaddr*>(&own), &size);
    if (own.ss_family == AF_INET6) {
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_port = htons(port);
      constexpr unsigned char mapped[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
      std::memcpy(&address.sin6_addr, mapped, sizeof mapped);
      std::memcpy(&storage, &address, length = sizeof address);
    } else {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      std::memcpy(&storage, &address, length = sizeof address);
    }
  }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }

  sockaddr_storage storage{};
  socklen_t length = 0;
};

Outcome hear_secret(int fd) {
  pollfd wait{fd, POLLIN, 0};
  if (::poll(&wait, 1, kPatience) == 0) return kSilence;
  char heard[sizeof kGreeting] = {};
  if (::recv(fd, heard, sizeof heard - 1, MSG_DONTWAIT) < 0) return errno;
  return std::strcmp(heard, kGreeting) == 0 ? 0 : EPROTO;
}

/// connect(2) without an address ends the connection and leaves a socket that is free. What it
/// then attempts does not wait: without an answer the kernel would go on trying for minutes.
Outcome free_connection() {
  int yes = 1;
  ::ioctl(kConnection, FIONBIO, &yes);
  const sockaddr nowhere{AF_UNSPEC, {}};
  return outcome_of(::connect(kConnection, &nowhere, sizeof nowhere));
}

Outcome hear_secret_if(bool begun) {
  return begun || errno == EINPROGRESS ? hear_secret(kConnection) : errno;
}

Outcome reconnect() {
  if (const Outcome freed = free_connection(); freed != 0) return freed;
  Loopback victim(victim_port);
  return hear_secret_if(::connect(kConnection, victim.get(), victim.length) == 0);
}

/// Its owner is what the firewall knows a jail by.
Outcome reconnect_as_another() {
  if (::fchown(kConnection, 33, 33) != 0) return errno;
  return reconnect();
}

Outcome connect_anew() {
  Loopback victim(victim_port);
  return outcome_of(::connect(kConnection, victim.get(), victim.length));
}

/// Takes the place of a service of the host that is down, for whoever calls it.
Outcome impersonate() {
  free_connection();
  const int on = 1;
  ::setsockopt(kConnection, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  Loopback called(called_port(victim_port));
  if (::bind(kConnection, called.get(), called.length) != 0) return errno;
  if (::listen(kConnection, 16) != 0) return errno;
  pollfd wait{kConnection, POLLIN, 0};
  if (::poll(&wait, 1, kPatience) == 0) return kSilence;
  const int stranger = ::accept4(kConnection, nullptr, nullptr, SOCK_CLOEXEC);
  return stranger < 0 ? errno : hear_secret(stranger);
}

Outcome listen_at_once() {
  free_connection();
  return outcome_of(::listen(kConnection, 16));
}

Outcome bind_anew() {
  free_connection();
  Loopback called(0);
  return outcome_of(::bind(kConnection, called.get(), called.length));
}

Outcome accept_more() {
  free_connection();
  ::listen(kConnection, 16);
  return outcome_of_fd(::accept4(kConnection, nullptr, nullptr, SOCK_CLOEXEC));
}

Outcome shut_down() { return outcome_of(::shutdown(kConnection, SHUT_RD)); }

Outcome fast_open_sendto(unsigned long high) {
  free_connection();
  Loopback victim(victim_port);
  const long flags = MSG_FASTOPEN | MSG_NOSIGNAL;
  return hear_secret_if(::syscall(SYS_sendto, kConnection, "x", 1,
                                  static_cast<unsigned long>(flags) | high, victim.get(),
                                  victim.length) >= 0);
}

msghdr message_to(Loopback& victim, iovec& bytes) {
  msghdr message{};
  message.msg_name = victim.get();
  message.msg_namelen = victim.length;
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  return message;
}

Outcome fast_open_sendmsg(unsigned long high) {
  free_connection();
  Loopback victim(victim_port);
  char byte = 'x';
  iovec bytes{&byte, 1};
  const msghdr message = message_to(victim, bytes);
  const long flags = MSG_FASTOPEN | MSG_NOSIGNAL;
  return hear_secret_if(
      ::syscall(SYS_sendmsg, kConnection, &message, static_cast<unsigned long>(flags) | high) >= 0);
}

Outcome fast_open_sendmmsg() {
  free_connection();
  Loopback victim(victim_port);
  char byte = 'x';
  iovec bytes{&byte, 1};
  mmsghdr messages{message_to(victim, bytes), 0};
  return hear_secret_if(::sendmmsg(kConnection, &messages, 1, MSG_FASTOPEN | MSG_NOSIGNAL) >= 0);
}

/// As much of io_uring as one call at a time needs.
class Ring {
 public:
  Outcome set_up() {
    io_uring_params parameters{};
    fd_ = static_cast<int>(::syscall(SYS_io_uring_setup, 1, &parameters));
    if (fd_ < 0) return errno;
    constexpr std::size_t size = 1 << 14;
    char* const submission = map(IORING_OFF_SQ_RING, size);
    char* const completion = map(IORING_OFF_CQ_RING, size);
    entry_ = reinterpret_cast<io_uring_sqe*>(map(IORING_OFF_SQES, size));
    if (submission == nullptr || completion == nullptr || entry_ == nullptr) return errno;
    tail_ = reinterpret_cast<unsigned*>(submission + parameters.sq_off.tail);
    array_ = reinterpret_cast<unsigned*>(submission + parameters.sq_off.array);
    results_ = reinterpret_cast<io_uring_cqe*>(completion + parameters.cq_off.cqes);
    result_mask_ = *reinterpret_cast<unsigned*>(completion + parameters.cq_off.ring_mask);
    return 0;
  }

  Outcome connect(int socket, const sockaddr* address, socklen_t length) {
    std::memset(entry_, 0, sizeof *entry_);
    entry_->opcode = IORING_OP_CONNECT;
    entry_->fd = socket;
    entry_->addr = reinterpret_cast<std::uintptr_t>(address);
    entry_->off = length;
    array_[0] = 0;
    std::atomic_ref(*tail_).fetch_add(1);
    if (::syscall(SYS_io_uring_enter, fd_, 1, 1, IORING_ENTER_GETEVENTS, nullptr, 0) < 0) {
      return errno;
    }
    return -results_[done_++ & result_mask_].res;
  }

 private:
  char* map(off_t what, std::size_t size) const {
    void* const memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_, what);
    return memory == MAP_FAILED ? nullptr : static_cast<char*>(memory);
  }

  int fd_ = -1;
  io_uring_sqe* entry_ = nullptr;
  unsigned* tail_ = nullptr;
  unsigned* array_ = nullptr;
  io_uring_cqe* results_ = nullptr;
  unsigned result_mask_ = 0;
  unsigned done_ = 0;
};

Outcome io_uring_connect() {
  Ring ring;
  if (const Outcome ready = ring.set_up(); ready != 0) return ready;
  const sockaddr nowhere{AF_UNSPEC, {}};
  if (const Outcome freed = ring.connect(kConnection, &nowhere, sizeof nowhere); freed != 0) {
    return freed;
  }
  int yes = 1;
  ::ioctl(kConnection, FIONBIO, &yes);
  Loopback victim(victim_port);
  const Outcome begun = ring.connect(kConnection, victim.get(), victim.length);
  if (begun != 0 && begun != EINPROGRESS) return begun;
  return hear_secret(kConnection);
}

Outcome interface_addresses() {
  ifreq interfaces[8] = {};
  ifconf list{};
  list.ifc_len = sizeof interfaces;
  list.ifc_req = interfaces;
  return outcome_of(::ioctl(kConnection, SIOCGIFCONF, &list));
}

Outcome interface_mtu() {
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_mtu = 65536;
  return outcome_of(::ioctl(kConnection, SIOCSIFMTU, &request));
}

Outcome namespace_of_socket() { return outcome_of_fd(::ioctl(kConnection, SIOCGSKNS)); }

template <class Value>
Outcome option(int level, int name, const Value& value) {
  return outcome_of(::setsockopt(kConnection, level, name, &value, sizeof value));
}

Outcome bind_to_device() { return option(SOL_SOCKET, SO_BINDTODEVICE, "lo"); }
Outcome mark() { return option(SOL_SOCKET, SO_MARK, 7); }
Outcome repair() { return option(IPPROTO_TCP, TCP_REPAIR, 1); }
Outcome debug() { return option(SOL_SOCKET, SO_DEBUG, 1); }
Outcome buffer_size() { return option(SOL_SOCKET, SO_RCVBUF, 1 << 16); }

/// The rules of iptables. ENOPROTOOPT for whoever may ask where there are none.
Outcome read_tables() {
  constexpr int ipt_so_get_info = 64;
  unsigned char answer[84] = "filter";
  socklen_t length = sizeof answer;
  return outcome_of(::getsockopt(0, IPPROTO_IP, ipt_so_get_info, answer, &length));
}

constexpr Probe::Place kService = Probe::Place::service;
constexpr Probe kProbes[] = {
    {"connection-free", kService, free_connection},
    {"connection-reconnect", kService, reconnect},
    {"connection-chown", kService, reconnect_as_another},
    {"connection-connect", kService, connect_anew},
    {"connection-bind", kService, bind_anew},
    {"connection-listen", kService, listen_at_once},
    {"connection-accept", kService, accept_more},
    {"connection-impersonate", kService, impersonate},
    {"connection-shutdown", kService, shut_down},
    {"fastopen-sendto", kService, [] { return fast_open_sendto(0); }},
    {"fastopen-sendto-high", kService, [] { return fast_open_sendto(kHighBits); }},
    {"fastopen-sendmsg", kService, [] { return fast_open_sendmsg(0); }},
    {"fastopen-sendmsg-high", kService, [] { return fast_open_sendmsg(kHighBits); }},
    {"fastopen-sendmmsg", kService, fast_open_sendmmsg},
    {"io-uring-connect", kService, io_uring_connect},
    {"connection-addresses", kService, interface_addresses},
    {"connection-mtu", kService, interface_mtu},
    {"connection-namespace", kService, namespace_of_socket},
    {"connection-device", kService, bind_to_device},
    {"connection-mark", kService, mark},
    {"connection-tables", kService, read_tables},
    {"connection-repair", kService, repair},
    {"connection-debug", kService, debug},
    {"connection-buffer", kService, buffer_size},
};

}  // namespace

std::span<const Probe> connection_probes() { return kProbes; }

}  // namespace evojail::attack
