#include "kernel/unix_socket.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace evojail {
namespace {

constexpr int type = SOCK_SEQPACKET | SOCK_CLOEXEC;

/// sun_path holds 107 bytes; a longer path is reached through its directory's descriptor.
struct Address {
  sockaddr_un name{};
  Fd directory;
};

Result<Address> address_of(const std::string& path) {
  Address address;
  address.name.sun_family = AF_UNIX;
  std::string text = path;
  if (text.size() >= sizeof address.name.sun_path) {
    const auto slash = path.find_last_of('/');
    TRY(address.directory, open_directory(path.substr(0, slash)));
    text = "/proc/self/fd/" + std::to_string(address.directory.get()) + path.substr(slash);
  }
  if (text.size() >= sizeof address.name.sun_path) {
    return fail_errno("naming socket", path, ENAMETOOLONG);
  }
  text.copy(address.name.sun_path, text.size());
  return address;
}

const sockaddr* generic(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address.name);
}

}  // namespace

Result<Fd> listen_seqpacket(const std::string& path) {
  Fd socket(::socket(AF_UNIX, type, 0));
  if (!socket) return fail_errno("making socket", path);
  ::unlink(path.c_str());
  TRY(const auto address, address_of(path));
  // The mode of the socket's inode, which decides who may connect (unix(7)).
  if (::fchmod(socket.get(), 0600) != 0) return fail_errno("setting the mode of", path);
  if (::bind(socket.get(), generic(address), sizeof address.name) != 0 ||
      ::listen(socket.get(), 16) != 0) {
    return fail_errno("listening on", path);
  }
  return socket;
}

Result<void> set_patience(int socket, std::chrono::seconds patience) {
  const timeval time{.tv_sec = patience.count(), .tv_usec = 0};
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    if (::setsockopt(socket, SOL_SOCKET, option, &time, sizeof time) != 0) {
      return fail_errno("limiting the time of", "a socket");
    }
  }
  return {};
}

pid_t peer_pid(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

Result<Fd> connect_seqpacket(const std::string& path, std::chrono::seconds patience) {
  Fd socket(::socket(AF_UNIX, type, 0));
  if (!socket) return fail_errno("making", "a socket");
  // That of sending holds for connecting as well (unix(7)): a queue nobody accepts from fills up.
  CHECK(set_patience(socket.get(), patience));
  TRY(const auto address, address_of(path));
  if (::connect(socket.get(), generic(address), sizeof address.name) != 0) {
    return fail_errno("connecting to", path);
  }
  return socket;
}

Result<Fd> accept_root(int listener) {
  Fd socket(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  if (!socket) return fail_errno("accepting", "a control connection");
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return fail_errno("asking for", "the control connection's peer");
  }
  if (peer.uid != 0) return fail("refusing a control connection that is not root's");
  return socket;
}

}  // namespace evojail
