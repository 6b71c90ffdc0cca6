#include "kernel/firewall_watch.hpp"

#include <linux/netfilter.h>
#include <linux/netlink.h>

#include "kernel/nftables_reply.hpp"
#include "kernel/nftables_socket.hpp"

namespace evojail {

class FirewallWatch::Socket {
 public:
  nft::Socket socket;
  nft::Owner table;
  std::uint32_t own_port;  ///< changes made from there are no news
};

FirewallWatch::FirewallWatch(std::unique_ptr<Socket> socket) : socket_(std::move(socket)) {}
FirewallWatch::FirewallWatch(FirewallWatch&&) noexcept = default;
FirewallWatch& FirewallWatch::operator=(FirewallWatch&&) noexcept = default;
FirewallWatch::~FirewallWatch() = default;

Result<FirewallWatch> FirewallWatch::open(Firewall& own) {
  TRY(const nft::Socket* const kernel, own.socket());
  TRY(auto opened, nft::Socket::open_monitor());
  return FirewallWatch(std::make_unique<Socket>(
      Socket{std::move(opened), {NFPROTO_INET, own.table_}, kernel->port()}));
}

int FirewallWatch::fd() const { return socket_->socket.fd(); }

Result<bool> FirewallWatch::changed() {
  bool touched = false;
  TRY(const bool complete, socket_->socket.drain([&](const nlmsghdr& message) {
    touched |=
        message.nlmsg_pid != socket_->own_port && nft::decode_owner(message) == socket_->table;
  }));
  return touched || !complete;
}

}  // namespace evojail
