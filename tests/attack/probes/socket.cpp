// New sockets, of every family that has been a way into the kernel or out of a container.

#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "probe.hpp"

namespace evojail::attack {
namespace {

template <int Family, int Type, int Protocol = 0>
Outcome open_socket() {
  return outcome_of_fd(::socket(Family, Type | SOCK_CLOEXEC, Protocol));
}

Outcome connect_loopback() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const char* port = std::getenv("ATK_VICTIM");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port != nullptr ? std::atoi(port) : 22));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return outcome_of(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address));
}

/// An abstract name of the host.
struct AbstractAddress {
  explicit AbstractAddress(const char* name) {
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path + 1, name);
    length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + std::strlen(name));
  }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&address); }

  sockaddr_un address{};
  socklen_t length = 0;
};

/// Where such a socket is reached, descriptors come over it (SCM_RIGHTS).
Outcome connect_abstract() {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  AbstractAddress host("evojail-attack");
  return outcome_of(::connect(fd, host.get(), host.length));
}

/// One end of a pair of datagram sockets, which is what the filter lets a session make, may send to
/// others than the other end.
Outcome send_abstract() {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) != 0) return errno;
  AbstractAddress host("evojail-attack-datagrams");
  char byte = 'x';
  iovec bytes{&byte, 1};
  msghdr message{};
  message.msg_name = host.get();
  message.msg_namelen = host.length;
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  return outcome_of(::sendmsg(pair[0], &message, 0));
}

Outcome raise_interface() {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  ifreq request{};
  std::strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP;
  return outcome_of(::ioctl(fd, SIOCSIFFLAGS, &request));
}

/// Asks for the tables, which takes CAP_NET_ADMIN over the network namespace.
Outcome read_firewall() {
  const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (fd < 0) return errno;
  struct {
    nlmsghdr header;
    std::uint8_t family;
    std::uint8_t version;
    std::uint16_t resource;
  } request{};
  constexpr std::uint16_t get_table = 10 << 8 | 1;  // NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE
  request.header = {sizeof request, get_table, NLM_F_REQUEST | NLM_F_DUMP, 1, 0};
  if (::send(fd, &request, sizeof request, 0) < 0) return errno;
  struct {
    nlmsghdr header;
    int error;
    char rest[4096];
  } answer{};
  if (::recv(fd, &answer, sizeof answer, 0) < 0) return errno;
  return answer.header.nlmsg_type == NLMSG_ERROR ? -answer.error : 0;
}

/// A byte out of band, and reading it from where it stands (CVE-2025-38236).
Outcome send_urgently() {
  int pair[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return errno;
  return outcome_of(::send(pair[0], "!", 1, MSG_OOB));
}

Outcome receive_urgently() {
  int pair[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return errno;
  char byte = 0;
  // There is none: EINVAL from whoever looks for it.
  return outcome_of(::recv(pair[1], &byte, 1, MSG_OOB));
}

Outcome pair_of_tipc_sockets() {
  int pair[2];
  return outcome_of(::socketpair(AF_TIPC, SOCK_STREAM, 0, pair));
}

constexpr Probe::Place kSession = Probe::Place::session;
constexpr Probe kProbes[] = {
    {"socket-unix", kSession, open_socket<AF_UNIX, SOCK_STREAM>},
    {"socket-inet", kSession, open_socket<AF_INET, SOCK_STREAM>},
    {"socket-inet6", kSession, open_socket<AF_INET6, SOCK_DGRAM>},
    {"socket-raw", kSession, open_socket<AF_INET, SOCK_RAW, IPPROTO_ICMP>},
    {"socket-netlink", kSession, open_socket<AF_NETLINK, SOCK_RAW, NETLINK_ROUTE>},
    {"socket-packet", kSession, open_socket<AF_PACKET, SOCK_RAW>},
    {"socket-xdp", kSession, open_socket<AF_XDP, SOCK_RAW>},
    {"socket-vsock", kSession, open_socket<AF_VSOCK, SOCK_STREAM>},
    {"socket-alg", kSession, open_socket<AF_ALG, SOCK_SEQPACKET>},
    {"socket-key", kSession, open_socket<AF_KEY, SOCK_RAW, 2>},
    {"socket-smc", kSession, open_socket<AF_SMC, SOCK_STREAM>},
    {"socket-rds", kSession, open_socket<AF_RDS, SOCK_SEQPACKET>},
    {"socket-tipc", kSession, open_socket<AF_TIPC, SOCK_STREAM>},
    {"socket-can", kSession, open_socket<AF_CAN, SOCK_RAW, 1>},
    {"socket-bluetooth", kSession, open_socket<AF_BLUETOOTH, SOCK_RAW, 1>},
    {"socket-mptcp", kSession, open_socket<AF_INET, SOCK_STREAM, 262>},
    {"socket-sctp", kSession, open_socket<AF_INET, SOCK_STREAM, IPPROTO_SCTP>},
    {"socketpair-urgent", kSession, send_urgently},
    {"socketpair-urgent-read", kSession, receive_urgently},
    {"socketpair-tipc", kSession, pair_of_tipc_sockets},
    {"loopback-connect", kSession, connect_loopback},
    {"abstract-connect", kSession, connect_abstract},
    {"abstract-send", kSession, send_abstract},
    {"interface-up", kSession, raise_interface},
    {"firewall-read", kSession, read_firewall},
};

}  // namespace

std::span<const Probe> socket_probes() { return kProbes; }

}  // namespace evojail::attack
