// The firewall with a thousand jails of twenty sources each, in a network namespace of its own:
// a change of one jail and the whole table beside `nft -f`, and what a packet costs with one jail
// and with a thousand. Printed as medians of rounds taken in turn.
//
//   firewall_bench [ROUNDS]      31 unless said otherwise; needs root

#include <fmt/format.h>
#include <linux/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernel/firewall.hpp"
#include "support/network.hpp"

namespace {

using evojail::Fd;
using evojail::Firewall;
using evojail::FirewallJail;
using evojail::Prefix;
using evojail::test::Address;
using evojail::test::Network;
using Series = std::vector<double>;

constexpr unsigned kJails = 1000;
constexpr unsigned kSources = 20;

double median(Series series) {
  const auto middle = series.begin() + static_cast<std::ptrdiff_t>(series.size() / 2);
  std::ranges::nth_element(series, middle);
  return *middle;
}

/// Processor time of this process and of those it waited for.
double processor_milliseconds() {
  double sum = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage used{};
    ::getrusage(who, &used);
    for (const timeval& part : {used.ru_utime, used.ru_stime}) {
      sum += static_cast<double>(part.tv_sec) * 1e3 + static_cast<double>(part.tv_usec) / 1e3;
    }
  }
  return sum;
}

template <class Work>
double milliseconds(Work work) {
  const double start = processor_milliseconds();
  work();
  return processor_milliseconds() - start;
}

void must(const evojail::Result<void>& done) {
  if (!done) throw std::runtime_error(done.error().message());
}

Prefix host4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  Prefix prefix;
  prefix.length = 32;
  prefix.bytes = {a, b, c, d};
  return prefix;
}

/// `six` of the sources are IPv6 networks. Every second address, so that none can be merged.
std::vector<FirewallJail> make_jails(unsigned count, unsigned six) {
  std::vector<FirewallJail> jails;
  for (unsigned i = 0; i < count; ++i) {
    FirewallJail jail;
    jail.name = fmt::format("client{:04}", i);
    jail.port = static_cast<std::uint16_t>(2222 + i);
    jail.owner_uid = 0x70000000U + i * 0x20000U;
    jail.new_connections_per_minute = 60;
    const auto high = static_cast<std::uint8_t>(i / 256);
    const auto low = static_cast<std::uint8_t>(i % 256);
    for (unsigned k = 0; k < kSources; ++k) {
      const auto last = static_cast<std::uint8_t>(2 * k);
      if (k >= six) {
        jail.allow.push_back(host4(10, high, low, last));
      } else {
        Prefix prefix;
        prefix.family = Prefix::Family::v6;
        prefix.length = 64;
        prefix.bytes = {0x20, 0x01, 0x0d, 0xb8, high, low, 0, last};
        jail.allow.push_back(prefix);
      }
    }
    jails.push_back(std::move(jail));
  }
  return jails;
}

void nft(const std::string& file) {
  const pid_t child = ::vfork();
  if (child == 0) {
    ::execlp("nft", "nft", "-f", file.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0) {
    throw std::runtime_error("nft -f " + file);
  }
}

void row(const std::string& what, double ours, const std::string& unit,
         const std::string& other = "-", double theirs = 0, const std::string& aim = "-") {
  if (theirs == 0) {
    fmt::print("{:<44} {:>9.2f} {:<2}  {:<18} {:>12} {:>8}  {}\n", what, ours, unit, other, "-",
               "-", aim);
  } else {
    fmt::print("{:<44} {:>9.2f} {:<2}  {:<18} {:>9.2f} {:<2} {:>8.2f}  {}\n", what, ours, unit,
               other, theirs, unit, ours / theirs, aim);
  }
}

/// A scratch directory for nft's files.
class Scratch {
 public:
  Scratch() {
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no scratch directory");
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    for (const auto& file : files_) ::unlink(file.c_str());
    ::rmdir(path_.c_str());
  }
  std::string write(const std::string& name, const std::string& text) {
    std::string file = path_ + "/" + name;
    std::ofstream(file) << text;
    files_.push_back(file);
    return file;
  }

 private:
  std::string path_ = "/tmp/firewall_bench.XXXXXX";
  std::vector<std::string> files_;
};

void measure_changes(int rounds, unsigned six) {
  const Network network;
  Scratch scratch;
  Firewall firewall("evojail");
  auto jails = make_jails(kJails, six);
  must(firewall.replace_all(jails));
  const std::string whole =
      scratch.write("whole", "table inet evojail\ndelete table inet evojail\n" +
                                 evojail::test::run("nft list table inet evojail"));

  Series address;
  Series address_nft;
  Series port;
  Series fresh;
  for (int round = 0; round < rounds; ++round) {
    auto& jail = jails[static_cast<unsigned>(round) * 37 % kJails];
    const auto& old_source = jail.allow.back();
    const Prefix new_source = host4(172, 16, static_cast<std::uint8_t>(round), 1);
    const std::string set = fmt::format("element inet evojail jail/{}/allow4", jail.name);
    const std::string forth =
        scratch.write("change", fmt::format("delete {0} {{ {1} }}\nadd {0} {{ {2} }}\n", set,
                                            to_string(old_source), to_string(new_source)));
    const std::string back =
        scratch.write("back", fmt::format("delete {0} {{ {2} }}\nadd {0} {{ {1} }}\n", set,
                                          to_string(old_source), to_string(new_source)));
    const auto by_nft = [&] {
      address_nft.push_back(milliseconds([&] { nft(forth); }));
      nft(back);
    };
    if (round % 2 == 0) by_nft();
    FirewallJail changed = jail;
    changed.allow.back() = new_source;
    address.push_back(milliseconds([&] { must(firewall.apply(changed)); }));
    must(firewall.apply(jail));
    if (round % 2 != 0) by_nft();

    changed = jail;
    changed.port = static_cast<std::uint16_t>(40'000 + round);
    port.push_back(milliseconds([&] { must(firewall.apply(changed)); }));
    must(firewall.remove(jail.name));
    fresh.push_back(milliseconds([&] { must(firewall.apply(jail)); }));
  }
  Series all;
  Series all_nft;
  Series compare;
  for (int round = 0; round < 5; ++round) {
    all.push_back(milliseconds([&] { must(firewall.replace_all(jails)); }));
    all_nft.push_back(milliseconds([&] { nft(whole); }));
    compare.push_back(milliseconds([&] {
      const auto drift = firewall.compare(jails);
      if (!drift || !drift->none()) throw std::runtime_error("the tables differ");
    }));
  }
  const std::string kind = six == 0 ? "IPv4" : "both";
  row(fmt::format("one address of one jail, {}", kind), median(address), "ms", "nft -f",
      median(address_nft), "<= 5 ms");
  row(fmt::format("one jail's port, {}", kind), median(port), "ms", "-", 0, "<= 5 ms");
  row(fmt::format("one new jail, {}", kind), median(fresh), "ms", "-", 0, "<= 5 ms");
  row(fmt::format("all {} jails, {}", kJails, kind), median(all), "ms", "nft -f", median(all_nft));
  row(fmt::format("comparison of all {}, {}", kJails, kind), median(compare), "ms");
}

/// Sends TCP segments of no connection from the client's side; they end in the jails' chains.
class Segments {
 public:
  Segments(Network& network, unsigned ports) {
    socket_ = network.as_client([] { return Fd(::socket(AF_INET, SOCK_RAW, IPPROTO_TCP)); });
    if (!socket_) throw std::runtime_error("no raw socket");
    std::minstd_rand random(1);
    for (std::size_t i = 0; i < kBatch; ++i) {
      headers_[i] = {};
      headers_[i].dest = htons(static_cast<std::uint16_t>(2222 + random() % ports));
      headers_[i].source = htons(50'000);
      headers_[i].doff = 5;
      headers_[i].ack = 1;
      parts_[i] = {&headers_[i], sizeof headers_[i]};
      messages_[i] = {};
      messages_[i].msg_hdr.msg_name = const_cast<sockaddr*>(to_.get());
      messages_[i].msg_hdr.msg_namelen = to_.length;
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  /// Nanoseconds for one.
  double cost(int batches) {
    const double spent = milliseconds([&] {
      for (int i = 0; i < batches; ++i) {
        if (::sendmmsg(socket_.get(), messages_, kBatch, 0) != kBatch) {
          throw std::runtime_error("sendmmsg");
        }
      }
    });
    return spent * 1e6 / (batches * static_cast<double>(kBatch));
  }

 private:
  static constexpr int kBatch = 512;
  Fd socket_;
  Address to_{Network::host4, 0};
  tcphdr headers_[kBatch]{};
  iovec parts_[kBatch]{};
  mmsghdr messages_[kBatch]{};
};

/// Microseconds for a byte there and a byte back on an allowed connection over loopback.
double round_trip(const Fd& one, const Fd& other, int times) {
  const double spent = milliseconds([&] {
    for (int i = 0; i < times; ++i) {
      if (!evojail::test::carries(one, other, "x") || !evojail::test::carries(other, one, "y")) {
        throw std::runtime_error("the connection broke");
      }
    }
  });
  return spent * 1e3 / times;
}

/// A packet's cost: with no table at all, with one jail, and with a thousand.
struct Costs {
  Series none;
  Series one;
  Series thousand;
  Series in_turn;  // one after the other of the thousand, at random: each out of a cold cache
};

void measure_packets(int rounds) {
  Network network;
  Firewall firewall("evojail");
  const std::vector<FirewallJail> jails = make_jails(kJails, 0);
  Segments to_one(network, 1);
  Segments to_all(network, kJails);
  Costs refused;
  Costs session;
  const Fd listener = evojail::test::listen_on(0);
  FirewallJail mine;
  mine.name = "mine";
  mine.port = evojail::test::port_of(listener);
  mine.owner_uid = 0x70000000U + 2000 * 0x20000U;
  mine.allow = jails[0].allow;
  mine.allow.push_back(host4(127, 0, 0, 1));
  const Fd client = evojail::test::start_connect("127.0.0.1", "127.0.0.1", mine.port);
  const Fd here = evojail::test::accept_as_uid(listener, mine.owner_uid);
  constexpr int kBatches = 100;
  constexpr int kTrips = 4000;
  for (int round = 0; round < rounds; ++round) {
    must(firewall.remove_table());
    // Without a jail's rules the host would answer each segment: a plain drop takes their place.
    evojail::test::run(
        "nft add table ip plain; nft 'add chain ip plain in { type filter hook input priority 0; "
        "}';"
        "nft add rule ip plain in tcp dport 2222 drop");
    refused.none.push_back(to_one.cost(kBatches));
    evojail::test::run("nft delete table ip plain");
    session.none.push_back(round_trip(client, here, kTrips));

    must(firewall.replace_all(std::vector{jails[0], mine}));
    refused.one.push_back(to_one.cost(kBatches));
    session.one.push_back(round_trip(client, here, kTrips));

    auto all = jails;
    all.push_back(mine);
    must(firewall.replace_all(all));
    refused.thousand.push_back(to_one.cost(kBatches));
    refused.in_turn.push_back(to_all.cost(kBatches));
    session.thousand.push_back(round_trip(client, here, kTrips));
  }
  row("a refused packet, 1000 jails", median(refused.thousand), "ns", "1 jail", median(refused.one),
      "~ 1");
  row("refused packets to 1000 jails at random", median(refused.in_turn), "ns", "to one of them",
      median(refused.thousand));
  row("a refused packet, 1 jail", median(refused.one), "ns", "a plain drop", median(refused.none));
  row("a session's round trip, 1000 jails", median(session.thousand), "us", "1 jail",
      median(session.one), "~ 1");
  row("a session's round trip, 1 jail", median(session.one), "us", "no table",
      median(session.none));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 31;
    ::setvbuf(stdout, nullptr, _IOLBF, 0);
    fmt::print("{} jails of {} sources, medians of {} rounds, {} processors\n", kJails, kSources,
               rounds, ::sysconf(_SC_NPROCESSORS_ONLN));
    fmt::print("{:<44} {:>12}  {:<18} {:>12} {:>8}  {}\n", "what", "evojail", "compared with",
               "other", "ratio", "aim");
    measure_changes(rounds, 0);
    measure_changes(rounds, 4);
    measure_packets(std::max(rounds / 3, 3));
  } catch (const std::exception& error) {
    fmt::print(stderr, "firewall_bench: {}\n", error.what());
    return 1;
  }
}
