#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <utility>

#include "base/fd.hpp"

namespace evojail::test {

/// Two network namespaces of the test's own, "host" and "client", joined by a veth pair; loopback
/// is up in both. Nothing has a name outside: with the object (or the process) all of it is gone.
/// The constructor leaves the calling thread in "host", the destructor takes it back to where it
/// was.
///
/// Throws std::runtime_error with the cause when anything fails.
class Network {
 public:
  // "host" has .1, "client" .2 and .3 and a foreign network's address.
  static constexpr const char* host4 = "10.99.0.1";
  static constexpr const char* client4 = "10.99.0.2";
  static constexpr const char* other4 = "10.99.0.3";
  static constexpr const char* far4 = "10.98.0.2";
  static constexpr const char* host6 = "fd99::1";
  static constexpr const char* client6 = "fd99::2";
  static constexpr const char* other6 = "fd99::3";      ///< in the same /64
  static constexpr const char* far6 = "fd98:0:0:1::2";  ///< in a /64 of its own

  Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;
  ~Network();

  /// What `action` opens belongs to the client's namespace.
  template <class Action>
  auto as_client(Action action) {
    const Stay stay(*this);
    return action();
  }

 private:
  struct Stay {
    explicit Stay(Network& of) : network(of) { enter(network.client_); }
    Stay(const Stay&) = delete;
    Stay& operator=(const Stay&) = delete;
    ~Stay() { enter(network.host_); }
    Network& network;
  };
  static void enter(const Fd& space);

  Fd outside_;
  Fd host_;
  Fd client_;
};

/// Runs a command by /bin/sh in the namespace that the thread is in; throws with what it wrote
/// where it fails. Returns what it wrote.
std::string run(const std::string& command);

/// Writes a file of /proc/sys.
void set_sysctl(const std::string& path, const std::string& value);

/// An address and port as the socket calls want it.
struct Address {
  Address(const std::string& ip, std::uint16_t port);
  sockaddr_storage storage{};
  socklen_t length = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] int family() const { return storage.ss_family; }
};

/// A TCP socket that listens on `port` of every address, IPv6 and IPv4; port 0: any.
Fd listen_on(std::uint16_t port);
std::uint16_t port_of(const Fd& socket);

/// Starts to connect from `source` and does not wait.
Fd start_connect(const std::string& source, const std::string& destination, std::uint16_t port);

/// Whether the connection comes about within ten seconds. Only for connections that do: a denial is
/// proven by a counter, not by time.
bool connected(const Fd& socket);

/// Whether nothing has come of it so far: neither connected nor refused.
bool still_connecting(const Fd& socket);

/// accept4(2) within ten seconds, under this file-system uid; throws otherwise.
Fd accept_as_uid(const Fd& listener, std::uint32_t uid);

/// Whether somebody waits to be accepted.
bool somebody_waits(const Fd& listener);

/// Writes `text` to one end and reads it at the other; false when it has not come within ten
/// seconds.
bool carries(const Fd& from, const Fd& to, const std::string& text);

}  // namespace evojail::test
