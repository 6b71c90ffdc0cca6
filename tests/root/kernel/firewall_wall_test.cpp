#include <gmock/gmock.h>
#include <netinet/tcp.h>
#include <sys/fsuid.h>
#include <sys/socket.h>

#include <cstring>
#include <optional>

#include "firewall_fixture.hpp"

namespace evojail::test {
namespace {

using N = Network;

constexpr std::uint32_t kLabel = 0x80010000 + 5;    // what a jail's uid 65541 is
constexpr std::uint32_t kBetween = 0x7ffe0000 + 5;  // neither a range nor a label

class FirewallWallTest : public FirewallTest {
 protected:
  FirewallJail jail =
      jail_at("web1", port, kFirstUid, {N::client4, N::client6, "127.0.0.1", "::1"});

  /// An IPv4 address for a session's socket: it comes from a listener of both families.
  static std::string mapped(const std::string& address) { return "::ffff:" + address; }

  /// A session: the client's end and the end that a jail would hold.
  struct Session {
    Fd client;
    Fd here;
  };

  Session session(const char* from, const char* to, std::uint32_t uid = kFirstUid) {
    Session made{dial(from, to, port), {}};
    if (!connected(made.client)) throw std::runtime_error("no session");
    made.here = accept_as_uid(listener, uid);
    return made;
  }

  Session local_session(const char* address) {
    Session made{start_connect(address, address, port), {}};
    if (!connected(made.client)) throw std::runtime_error("no session");
    made.here = accept_as_uid(listener, kFirstUid);
    return made;
  }

  /// Packets that the wall has stopped, whichever of its rules did.
  std::uint64_t stopped() {
    return counters("web1").stopped.packets + value_of(firewall.stray()).packets;
  }

  /// Whether `attempt` makes the wall count a packet.
  template <class Attempt>
  bool is_stopped(Attempt attempt) {
    const auto before = stopped();
    attempt();
    return eventually([&] { return stopped() > before; });
  }

  static void free_socket(const Fd& socket) {
    const sockaddr nowhere{AF_UNSPEC, {}};
    ASSERT_EQ(::connect(socket.get(), &nowhere, sizeof nowhere), 0);
  }

  /// The victim is a service of the host on another port.
  void call_victim(const Fd& socket) const {
    const Address victim(mapped("127.0.0.1"), other_port);
    ::connect(socket.get(), victim.get(), victim.length);
  }

  void fast_open_to_victim(const Fd& socket) const {
    const Address victim(mapped("127.0.0.1"), other_port);
    ::sendto(socket.get(), "stolen", 6, MSG_FASTOPEN | MSG_NOSIGNAL, victim.get(), victim.length);
  }

  /// Both ends of loopback's fast open, without a cookie first.
  void allow_fast_open() const {
    set_sysctl("/proc/sys/net/ipv4/tcp_fastopen", "519");
    const int queue = 16;
    ASSERT_EQ(::setsockopt(other_listener.get(), IPPROTO_TCP, TCP_FASTOPEN, &queue, sizeof queue),
              0);
  }
};

TEST_F(FirewallWallTest, SessionsAnswerOverEveryPath) {
  expect_done(firewall.apply(jail));
  const std::string megabytes(8 << 20, 'm');
  const auto both_ways = [&](const Session& one) {
    return carries(one.client, one.here, megabytes) && carries(one.here, one.client, megabytes);
  };
  EXPECT_TRUE(both_ways(session(N::client4, N::host4)));
  EXPECT_TRUE(both_ways(session(N::client6, N::host6)));
  EXPECT_TRUE(both_ways(local_session("127.0.0.1")));
  EXPECT_TRUE(both_ways(local_session("::1")));
  EXPECT_EQ(stopped(), 0U);
}

TEST_F(FirewallWallTest, EveryWayOfEndingASessionPasses) {
  expect_done(firewall.apply(jail));
  const auto hears_end = [](const Fd& end) {
    char byte = 0;
    return eventually([&] {
      const ssize_t got = ::recv(end.get(), &byte, 1, 0);
      return got == 0 || (got < 0 && errno == ECONNRESET);
    });
  };
  Session one = session(N::client4, N::host4);
  ::shutdown(one.here.get(), SHUT_WR);  // FIN from an open socket
  EXPECT_TRUE(hears_end(one.client));

  one = session(N::client4, N::host4);
  one.here.reset();  // FIN, and all that follows comes from a socket that nobody holds
  EXPECT_TRUE(hears_end(one.client));
  one.client.reset();

  one = session(N::client4, N::host4);
  ASSERT_EQ(::send(one.client.get(), "unread", 6, MSG_NOSIGNAL), 6);
  ASSERT_TRUE(eventually([&] {
    char byte = 0;
    return ::recv(one.here.get(), &byte, 1, MSG_PEEK) == 1;
  }));
  one.here.reset();  // RST: bytes were thrown away
  EXPECT_TRUE(hears_end(one.client));

  one = session(N::client4, N::host4);
  one.client.reset();  // the client ends first; here is CLOSE_WAIT, then LAST_ACK
  EXPECT_TRUE(hears_end(one.here));
  one.here.reset();

  one = session(N::client4, N::host4);
  free_socket(one.here);  // how the supervisor cuts a session: RST
  EXPECT_TRUE(hears_end(one.client));
  EXPECT_EQ(stopped(), 0U);
}

TEST_F(FirewallWallTest, WhatIsQueuedArrivesAfterTheSessionsSocketIsClosed) {
  expect_done(firewall.apply(jail));
  Session one = session(N::client4, N::host4);
  const std::string text(100'000, 'q');
  std::size_t sent = 0;
  while (sent < text.size()) {
    const ssize_t put =
        ::send(one.here.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (put <= 0) break;
    sent += static_cast<std::size_t>(put);
  }
  one.here.reset();
  std::size_t received = 0;
  EXPECT_TRUE(eventually([&] {
    char chunk[1 << 16];
    ssize_t got = 0;
    while ((got = ::recv(one.client.get(), chunk, sizeof chunk, 0)) > 0) {
      received += static_cast<std::size_t>(got);
    }
    return got == 0;
  }));
  EXPECT_EQ(received, sent);
  EXPECT_EQ(stopped(), 0U);
}

TEST_F(FirewallWallTest, AFreedSocketConnectsNowhere) {
  // Without the wall: the host's loopback is reached.
  Session one = session(N::client4, N::host4);
  free_socket(one.here);
  call_victim(one.here);
  ASSERT_TRUE(connected(one.here));
  accept_as_uid(other_listener, 0);

  expect_done(firewall.apply(jail));
  one = session(N::client4, N::host4);
  ASSERT_TRUE(carries(one.here, one.client, "answer"));
  free_socket(one.here);
  EXPECT_TRUE(is_stopped([&] { call_victim(one.here); }));
  EXPECT_FALSE(somebody_waits(other_listener));
  EXPECT_TRUE(still_connecting(one.here));
}

TEST_F(FirewallWallTest, AFreedSocketConnectsToNoOtherHost) {
  const Fd far_listener = network.as_client([] { return listen_on(0); });
  const Address far(mapped(N::client4), port_of(far_listener));
  Session one = session(N::client4, N::host4);
  free_socket(one.here);
  ::connect(one.here.get(), far.get(), far.length);
  ASSERT_TRUE(connected(one.here));
  accept_as_uid(far_listener, 0);

  expect_done(firewall.apply(jail));
  one = session(N::client4, N::host4);
  free_socket(one.here);
  EXPECT_TRUE(is_stopped([&] { ::connect(one.here.get(), far.get(), far.length); }));
  EXPECT_FALSE(somebody_waits(far_listener));
}

TEST_F(FirewallWallTest, NotEvenFromItsOwnPortDoesAJailOpenAConnection) {
  const Session before = session(N::client4, N::host4);
  const Session behind = session(N::client4, N::host4);
  listener.reset();  // or the port could not be had
  const auto call_from_own_port = [&](const Session& one, const char* from) {
    free_socket(one.here);
    const int on = 1;
    ::setsockopt(one.here.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const Address own(mapped(from), port);
    ASSERT_EQ(::bind(one.here.get(), own.get(), own.length), 0) << std::strerror(errno);
    call_victim(one.here);
  };
  ASSERT_NO_FATAL_FAILURE(call_from_own_port(before, "127.0.0.1"));
  ASSERT_TRUE(connected(before.here));
  accept_as_uid(other_listener, 0);

  expect_done(firewall.apply(jail));
  EXPECT_TRUE(is_stopped([&] { call_from_own_port(behind, "127.0.0.2"); }));
  EXPECT_FALSE(somebody_waits(other_listener));
}

TEST_F(FirewallWallTest, FastOpenReachesNobody) {
  allow_fast_open();
  Session one = session(N::client4, N::host4);
  free_socket(one.here);
  fast_open_to_victim(one.here);
  const Fd reached = accept_as_uid(other_listener, 0);
  char stolen[16] = {};
  ASSERT_TRUE(eventually([&] { return ::recv(reached.get(), stolen, sizeof stolen, 0) == 6; }));

  expect_done(firewall.apply(jail));
  one = session(N::client4, N::host4);
  free_socket(one.here);
  EXPECT_TRUE(is_stopped([&] { fast_open_to_victim(one.here); }));
  EXPECT_FALSE(somebody_waits(other_listener));

  // shutdown(2) and a send are enough to open anew, without connect(2).
  one = session(N::client4, N::host4);
  one.client.reset();
  ::shutdown(one.here.get(), SHUT_RDWR);
  free_socket(one.here);
  EXPECT_TRUE(is_stopped([&] { fast_open_to_victim(one.here); }));
  EXPECT_FALSE(somebody_waits(other_listener));
}

TEST_F(FirewallWallTest, ASocketThatListensElsewhereAnswersNobody) {
  const auto become_a_service = [&](const Fd& socket) {
    const Address any(mapped(N::host4), 0);
    ASSERT_EQ(::bind(socket.get(), any.get(), any.length), 0);
    ASSERT_EQ(::listen(socket.get(), 16), 0);
  };
  Session one = session(N::client4, N::host4);
  free_socket(one.here);
  ASSERT_NO_FATAL_FAILURE(become_a_service(one.here));
  ASSERT_TRUE(reaches(N::client4, N::host4, port_of(one.here)));

  expect_done(firewall.apply(jail));
  one = session(N::client4, N::host4);
  free_socket(one.here);
  ASSERT_NO_FATAL_FAILURE(become_a_service(one.here));
  Fd stranger;
  EXPECT_TRUE(is_stopped([&] { stranger = dial(N::client4, N::host4, port_of(one.here)); }));
  EXPECT_TRUE(still_connecting(stranger));
}

TEST_F(FirewallWallTest, ANeighboursPortIsNotTheJailsOwn) {
  expect_done(firewall.apply(jail));
  expect_done(firewall.apply(jail_at("web2", other_port, kSecondUid, {N::client4})));
  // Accepted at web1's port, but as web2.
  const Session one = session(N::client4, N::host4, kSecondUid);
  ASSERT_EQ(::send(one.here.get(), "x", 1, MSG_NOSIGNAL), 1);
  EXPECT_TRUE(eventually([&] { return counters("web2").stopped.packets > 0; }));
  EXPECT_EQ(counters("web1").stopped.packets, 0U);
  char byte = 0;
  EXPECT_EQ(::recv(one.client.get(), &byte, 1, 0), -1);
}

TEST_F(FirewallWallTest, UidsThatNoSessionHasSendNothing) {
  expect_done(firewall.apply(jail));
  // Another uid of the jail's range; a range without a jail; the labels' first and last.
  for (const std::uint32_t uid :
       {kFirstUid + 33, kSecondUid, 0x7ffdffffU, 0x80010000U, kLabel, 0xfffffffeU}) {
    const Session one = session(N::client4, N::host4, uid);
    EXPECT_TRUE(is_stopped([&] { ::send(one.here.get(), "x", 1, MSG_NOSIGNAL); })) << uid;
  }
  EXPECT_EQ(counters("web1").stopped.packets, 0U) << "those are no jail's";
}

TEST_F(FirewallWallTest, UidsThatAreNoJailsAreLeftAlone) {
  expect_done(firewall.apply(jail));
  for (const std::uint32_t uid : {0U, 1000U, 0x6fffffffU, 0x7ffe0000U, kBetween, 0x8000ffffU}) {
    const Session one = session(N::client4, N::host4, uid);
    EXPECT_TRUE(carries(one.here, one.client, "answer")) << uid;
  }
  EXPECT_EQ(stopped(), 0U);
}

TEST_F(FirewallWallTest, AJailWithoutARangeYetHasNoWayOut) {
  jail.owner_uid = 0;
  expect_done(firewall.apply(jail));
  const Session one = session(N::client4, N::host4, kFirstUid);
  EXPECT_TRUE(is_stopped([&] { ::send(one.here.get(), "x", 1, MSG_NOSIGNAL); }));
  jail.owner_uid = kFirstUid;
  expect_done(firewall.apply(jail));
  const Session two = session(N::client4, N::host4);
  EXPECT_TRUE(carries(two.here, two.client, "answer"));
}

TEST_F(FirewallWallTest, OtherProtocolsAreStopped) {
  const Address far(N::client4, 9);
  const auto send_as = [&](std::uint32_t uid) {
    const int before = ::setfsuid(uid);
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ::setfsuid(static_cast<uid_t>(before));
    return ::sendto(socket.get(), "x", 1, 0, far.get(), far.length) == 1 ? 0 : errno;
  };
  EXPECT_EQ(send_as(kFirstUid), 0) << "without the wall";
  expect_done(firewall.apply(jail));
  EXPECT_EQ(send_as(kFirstUid), EPERM);
  EXPECT_EQ(send_as(kLabel), EPERM);
  EXPECT_EQ(send_as(0), 0);
}

TEST_F(FirewallWallTest, ALostPacketIsSentAgainFromTheJailsPort) {
  expect_done(firewall.apply(jail));
  const Session one = session(N::client4, N::host4);
  network.as_client([] {
    return run(
        "nft 'add table ip lossy; add chain ip lossy in { type filter "
        "hook input priority 0; policy drop; }'");
  });
  ASSERT_EQ(::send(one.here.get(), "again", 5, MSG_NOSIGNAL), 5);
  const auto retransmitted = [&] {
    tcp_info info{};
    socklen_t length = sizeof info;
    return ::getsockopt(one.here.get(), IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
           info.tcpi_total_retrans > 0;
  };
  EXPECT_TRUE(eventually(retransmitted));
  network.as_client([] { return run("nft delete table ip lossy"); });
  char text[8] = {};
  EXPECT_TRUE(eventually([&] { return ::recv(one.client.get(), text, sizeof text, 0) == 5; }));
  EXPECT_EQ(stopped(), 0U);
}

// With SYN cookies the kernel answers a SYN with a packet that belongs to no socket, so the
// handshake passes the wall. What the jail sends on such a connection does not.
TEST_F(FirewallWallTest, BehindASynCookieTheJailIsStillMute) {
  expect_done(firewall.apply(jail));
  const Session one = session(N::client4, N::host4);
  free_socket(one.here);
  const Address any(mapped(N::host4), 0);
  ASSERT_EQ(::bind(one.here.get(), any.get(), any.length), 0);
  ASSERT_EQ(::listen(one.here.get(), 16), 0);
  set_sysctl("/proc/sys/net/ipv4/tcp_syncookies", "2");
  const Fd stranger = dial(N::client4, N::host4, port_of(one.here));
  ASSERT_TRUE(connected(stranger)) << "if this is refused, the wall is better than documented";
  const Fd taken = accept_as_uid(one.here, kFirstUid);
  EXPECT_TRUE(is_stopped([&] { ::send(taken.get(), "hello", 5, MSG_NOSIGNAL); }));
  char byte = 0;
  EXPECT_EQ(::recv(stranger.get(), &byte, 1, 0), -1);
}

}  // namespace
}  // namespace evojail::test
