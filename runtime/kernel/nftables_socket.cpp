#include "kernel/nftables_socket.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <optional>

namespace evojail::nft {
namespace {

constexpr int kReceiveQueue = 4 << 20;
constexpr std::size_t kReceiveBuffer = 64UL << 10;

std::unexpected<Error> explain(std::string_view operation, std::string_view object, int code) {
  Error error = Error::system(operation, object, code);
  if (code == EPERM) {
    error = std::move(error).hint("changing the firewall needs root (CAP_NET_ADMIN)");
  } else if (code == EPROTONOSUPPORT || code == EAFNOSUPPORT || code == EOPNOTSUPP) {
    error = std::move(error).hint(kNoNfTables);
  } else if (code == EBUSY) {
    error = std::move(error).hint(
        "something that was added to the table by hand still uses it; 'nft list table inet …' "
        "shows it");
  }
  return std::unexpected(std::move(error));
}

struct Closed {
  void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};

Result<std::pair<Fd, std::uint32_t>> open_socket(unsigned groups, int flags) {
  std::unique_ptr<mnl_socket, Closed> socket(mnl_socket_open2(NETLINK_NETFILTER, flags));
  if (!socket) return explain("opening", "a netlink socket to nf_tables", errno);
  if (mnl_socket_bind(socket.get(), groups, MNL_SOCKET_AUTOPID) != 0) {
    return explain("binding", "a netlink socket to nf_tables", errno);
  }
  const int fd = mnl_socket_get_fd(socket.get());
  // Errors without the whole request in them, but with the kernel's own words. Both are comfort
  // only.
  const int on = 1;
  ::setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  ::setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveQueue, sizeof kReceiveQueue);
  const std::uint32_t port = mnl_socket_get_portid(socket.get());
  TRY(Fd copy, duplicate(fd));
  return std::pair{std::move(copy), port};
}

/// The errno value in a NLMSG_ERROR, positive; 0 is an acknowledgement.
std::optional<int> error_of(const nlmsghdr& message) {
  if (message.nlmsg_type != NLMSG_ERROR) return std::nullopt;
  if (mnl_nlmsg_get_payload_len(&message) < sizeof(nlmsgerr)) return EBADMSG;
  const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&message));
  return error->error < 0 ? -error->error : error->error;
}

const nlmsghdr* next(const nlmsghdr* message, int& left) { return mnl_nlmsg_next(message, &left); }

/// A list of one element that has nothing but a key.
void put_key(nlmsghdr* header, std::span<const std::uint8_t> key) {
  nlattr* list = mnl_attr_nest_start(header, NFTA_SET_ELEM_LIST_ELEMENTS);
  nlattr* element = mnl_attr_nest_start(header, NFTA_LIST_ELEM);
  nlattr* data = mnl_attr_nest_start(header, NFTA_SET_ELEM_KEY);
  mnl_attr_put(header, NFTA_DATA_VALUE, key.size(), key.data());
  mnl_attr_nest_end(header, data);
  mnl_attr_nest_end(header, element);
  mnl_attr_nest_end(header, list);
}

}  // namespace

Result<Socket> Socket::open() {
  TRY(auto made, open_socket(0, SOCK_CLOEXEC));
  return Socket(std::move(made.first), made.second);
}

Result<Socket> Socket::open_monitor() {
  TRY(auto made, open_socket(1U << (NFNLGRP_NFTABLES - 1), SOCK_CLOEXEC | SOCK_NONBLOCK));
  return Socket(std::move(made.first), made.second);
}

Result<void> Socket::send(std::string_view bytes) const {
  // A message must fit into the send buffer whole: netlink(7), EMSGSIZE. Root may raise it at will.
  const int room = static_cast<int>(std::max<std::size_t>(bytes.size() + 4096, 64UL << 10));
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  for (;;) {
    const ssize_t sent = ::sendto(fd_.get(), bytes.data(), bytes.size(), 0,
                                  reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel);
    if (sent >= 0) return {};
    if (errno != EINTR) return explain("sending to", "nf_tables", errno);
  }
}

Result<std::size_t> Socket::receive(bool wait) {
  buffer_.resize(kReceiveBuffer);
  for (;;) {
    sockaddr_nl from{};
    iovec part{buffer_.data(), buffer_.size()};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t got = ::recvmsg(fd_.get(), &message, wait ? 0 : MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN && !wait) return 0;
    if (got < 0) return fail_errno("reading from", "nf_tables");
    if (from.nl_pid != 0) continue;  // another process, not the kernel
    if ((message.msg_flags & MSG_TRUNC) != 0)
      return fail_errno("reading from", "nf_tables", EMSGSIZE);
    return static_cast<std::size_t>(got);
  }
}

Result<void> Socket::commit(Batch batch) {
  const auto bytes = batch.finish();
  CHECK(send({bytes.data(), bytes.size()}));
  // The kernel has worked the batch off within sendto(2): all it has to say is in the queue.
  std::optional<Error> first;
  bool acknowledged = false;
  for (;;) {
    const auto got = receive(false);
    if (!got) {
      // Lost replies: many errors at once. The first ones were queued before the overrun.
      if (got.error().code() == ENOBUFS) continue;
      return std::unexpected(got.error());
    }
    if (*got == 0) break;
    int left = static_cast<int>(*got);
    const auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.data());
    for (; mnl_nlmsg_ok(message, left); message = next(message, left)) {
      const auto code = error_of(*message);
      if (!code) continue;
      if (*code == 0) {
        acknowledged |= message->nlmsg_seq == Batch::acknowledged();
      } else if (!first) {
        const auto [operation, object] = batch.describe(message->nlmsg_seq);
        first = explain(operation, object, *code).error();
      }
    }
  }
  if (first) return std::unexpected(*std::move(first));
  if (!acknowledged) return fail("nf_tables did not acknowledge the change of the firewall");
  return {};
}

Result<void> Socket::query(const Request& request, const Take& take) {
  char bytes[2048];
  nlmsghdr* header = mnl_nlmsg_put_header(bytes);
  header->nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | request.type);
  header->nlmsg_flags =
      static_cast<std::uint16_t>(NLM_F_REQUEST | (request.dump ? NLM_F_DUMP : NLM_F_ACK));
  header->nlmsg_seq = ++sequence_;
  auto* extra = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
  extra->nfgen_family = request.family;
  extra->version = NFNETLINK_V0;
  for (const auto& attribute : request.attributes) {
    if (attribute.text.empty()) {
      mnl_attr_put_u32(header, attribute.type, htonl(attribute.number));
    } else if (!mnl_attr_put_strz_check(header, sizeof bytes, attribute.type,
                                        std::string(attribute.text).c_str())) {
      return fail_errno("asking", "nf_tables", ENAMETOOLONG);
    }
  }
  if (!request.key.empty()) put_key(header, request.key);
  CHECK(send({bytes, header->nlmsg_len}));
  bool interrupted = false;
  for (;;) {
    TRY(const std::size_t got, receive(true));
    int left = static_cast<int>(got);
    const auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.data());
    for (; mnl_nlmsg_ok(message, left); message = next(message, left)) {
      if (message->nlmsg_seq != sequence_) continue;  // of an earlier question that was given up
      interrupted |= (message->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      const auto code = error_of(*message);
      if (code.value_or(0) != 0) return explain("reading", "the firewall's table", *code);
      if (code || message->nlmsg_type == NLMSG_DONE) {
        if (interrupted) return fail_errno("reading", "the firewall's table", EINTR);
        return {};
      }
      take(*message);
    }
  }
}

Result<bool> Socket::drain(const Take& take) {
  bool complete = true;
  for (;;) {
    const auto got = receive(false);
    if (!got && got.error().code() == ENOBUFS) {
      complete = false;
      continue;
    }
    if (!got) return std::unexpected(got.error());
    if (*got == 0) return complete;
    int left = static_cast<int>(*got);
    const auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.data());
    for (; mnl_nlmsg_ok(message, left); message = next(message, left)) take(*message);
  }
}

}  // namespace evojail::nft
