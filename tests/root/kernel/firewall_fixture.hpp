#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "kernel/firewall.hpp"
#include "support/eventually.hpp"
#include "support/network.hpp"

namespace evojail::test {

inline constexpr std::uint32_t kFirstUid = 0x70000000;
inline constexpr std::uint32_t kSecondUid = 0x70020000;

/// Fails the test with the error's own words.
template <class T>
void expect_done(const Result<T>& result) {
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message());
}

template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return *std::move(result);
}

inline FirewallJail jail_at(const std::string& name, std::uint16_t port, std::uint32_t uid,
                            std::initializer_list<const char*> allow) {
  FirewallJail jail;
  jail.name = name;
  jail.port = port;
  jail.owner_uid = uid;
  for (const char* network : allow) jail.allow.push_back(value_of(parse_prefix(network)));
  return jail;
}

/// A network of the test's own with a firewall that is not there yet, and two listeners.
class FirewallTest : public ::testing::Test {
 protected:
  Network network;
  Firewall firewall{"evojail"};
  Fd listener = listen_on(0);
  Fd other_listener = listen_on(0);
  std::uint16_t port = port_of(listener);
  std::uint16_t other_port = port_of(other_listener);

  Fd dial(const std::string& from, const std::string& to, std::uint16_t to_port) {
    return network.as_client([&] { return start_connect(from, to, to_port); });
  }

  bool reaches(const std::string& from, const std::string& to, std::uint16_t to_port) {
    return connected(dial(from, to, to_port));
  }

  FirewallCounters counters(const std::string& jail) { return value_of(firewall.counters(jail)); }

  /// Whether a connection attempt meets the jail's refusal: the packet was counted as refused, and
  /// the socket is where it was.
  bool is_refused(const std::string& jail, const std::string& from, const std::string& to,
                  std::uint16_t to_port) {
    const auto before = counters(jail).refused.packets;
    const Fd socket = dial(from, to, to_port);
    return eventually([&] { return counters(jail).refused.packets > before; }) &&
           still_connecting(socket);
  }

  std::vector<std::string> drift_of(std::vector<FirewallJail> jails) {
    const FirewallDrift drift = value_of(firewall.compare(jails));
    std::vector<std::string> lines;
    for (const auto& line : drift.missing) lines.push_back("missing: " + line);
    for (const auto& line : drift.foreign) lines.push_back("foreign: " + line);
    return lines;
  }
};

}  // namespace evojail::test
