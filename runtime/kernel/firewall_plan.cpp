#include "kernel/firewall_plan.hpp"

#include <fmt/format.h>
#include <linux/in.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <optional>

namespace evojail {
namespace {

using nft::Bytes;

// nft's numbers of its data types (its include/datatype.h): they only steer how nft prints keys.
constexpr std::uint32_t kTypeIpv4 = 7;
constexpr std::uint32_t kTypeIpv6 = 8;
constexpr std::uint32_t kTypePort = 13;
constexpr std::uint32_t kTypeUid = 24;

// RFC 9293, 3.1: bits of the header's byte 13.
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kAck = 0x10;

// A jail serves one client: a thousand sources a minute is a flood. When the set is full, further
// new sources pass unlimited, so that a flood cannot lock the client out; the supervisor's bound on
// sessions stands behind it.
constexpr std::uint32_t kRecentSources = 1024;
constexpr std::uint64_t kRecentMs = 60'000;

// Every host uid that a jail's process can have (user_namespaces(7); the jails' uid_map): 2047
// ranges of 0x20000, and the labels that all jails share, up to the last uid.
constexpr std::uint32_t kFirstUid = 0x70000000U;
constexpr std::uint32_t kPastUids = kFirstUid + 2047U * 0x20000U;
constexpr std::uint32_t kFirstLabel = 0x80010000U;

Bytes big_endian(std::uint32_t value, unsigned length) {
  Bytes bytes(length);
  for (unsigned i = 0; i < length; ++i) {
    bytes[length - 1 - i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
  return bytes;
}

/// As `meta skuid` leaves it in a register.
Bytes host_order(std::uint32_t value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

nft::Set port_map() { return {NFT_SET_MAP, kTypePort, 2, 0, 0, {}, false}; }

nft::Set owner_map() { return {NFT_SET_MAP, kTypeUid, 4, 0, 0, {}, true}; }

nft::Element map_element(Bytes key, const std::string& chain, std::string_view jail) {
  return {key, key, nft::Verdict{NFT_GOTO, chain}, std::string(jail)};
}

void append(nft::Rule& rule, std::initializer_list<nft::Expression> more) {
  rule.insert(rule.end(), more.begin(), more.end());
}

nft::Rule is_tcp() {
  return {nft::Meta{NFT_META_L4PROTO}, nft::Compare{NFT_CMP_EQ, {IPPROTO_TCP}}};
}

/// Goes on only for packets that ask for a new connection, SYN without ACK, or for the others.
void append_syn(nft::Rule& rule, std::uint32_t op) {
  append(rule, {nft::Payload{NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1}, nft::Mask{{kSyn | kAck}},
                nft::Compare{op, {kSyn}}});
}

nft::Rule drop_rule(const std::string& counter) {
  return {nft::CountIn{counter}, nft::Verdict{NF_DROP, {}}};
}

/// What differs between the two families.
struct Family {
  Prefix::Family family;
  std::uint8_t protocol;  // NFPROTO_*
  std::uint32_t type;
  std::uint32_t source_offset;  // in the network header
  std::uint32_t length;
  const std::string& allow;
  const std::string& recent;
};

/// Goes on with the source address in the register.
void append_source(nft::Rule& rule, const Family& family) {
  append(rule, {nft::Meta{NFT_META_NFPROTO}, nft::Compare{NFT_CMP_EQ, {family.protocol}},
                nft::Payload{NFT_PAYLOAD_NETWORK_HEADER, family.source_offset, family.length}});
}

nft::Rule limit_rule(const Family& family, unsigned per_minute, const std::string& counter) {
  nft::Rule rule;
  append_source(rule, family);
  if (family.family == Prefix::Family::v6) {
    // A host has a whole /64 to take addresses from.
    Bytes mask(16, 0);
    std::fill_n(mask.begin(), 8, 0xff);
    append(rule, {nft::Mask{mask}});
  }
  append(rule, {nft::LimitOver{family.recent, per_minute, 60, per_minute}, nft::CountIn{counter},
                nft::Verdict{NF_DROP, {}}});
  return rule;
}

nft::Set allow_set(const FirewallJail& jail, const Family& family) {
  nft::Set set{NFT_SET_INTERVAL, family.type, family.length, 0, 0, {}, false};
  for (auto& [low, high] : merge_networks(jail.allow, family.family)) {
    set.elements.push_back({std::move(low), std::move(high), std::nullopt, {}});
  }
  return set;
}

/// Packets to the jail's port. Every packet's source is looked at, not only the first one's: an
/// address taken off the list is unheard from then on, and no connection has to be tracked for it.
/// All that is not accepted is dropped, so a rule too few shuts the port and does not open it.
void plan_in(nft::Table& table, const FirewallJail& jail, const FirewallNames& names) {
  const Family families[] = {
      {Prefix::Family::v4, NFPROTO_IPV4, kTypeIpv4, 12, 4, names.allow4, names.recent4},
      {Prefix::Family::v6, NFPROTO_IPV6, kTypeIpv6, 8, 16, names.allow6, names.recent6}};
  auto& in = table.chains[names.in].rules;
  auto& allowed = table.chains[names.allowed].rules;
  const nft::Verdict to_allowed{NFT_GOTO, names.allowed};
  if (jail.allow_all) in.push_back({to_allowed});

  // Packets of connections that exist are through after one look at their flags.
  nft::Rule go_on = is_tcp();
  append_syn(go_on, NFT_CMP_NEQ);
  append(go_on, {nft::CountIn{names.received}, nft::Verdict{NF_ACCEPT, {}}});
  allowed.push_back(std::move(go_on));

  for (const Family& family : families) {
    nft::Set allow = allow_set(jail, family);
    if (!jail.allow_all) {
      if (allow.elements.empty()) continue;
      table.sets.emplace(family.allow, std::move(allow));
      nft::Rule rule;
      append_source(rule, family);
      append(rule, {nft::Lookup{family.allow, false}, to_allowed});
      in.push_back(std::move(rule));
    }
    if (jail.new_connections_per_minute == 0) continue;
    table.sets.emplace(family.recent, nft::Set{NFT_SET_EVAL | NFT_SET_TIMEOUT,
                                               family.type,
                                               family.length,
                                               kRecentSources,
                                               kRecentMs,
                                               {},
                                               false});
    allowed.push_back(limit_rule(family, jail.new_connections_per_minute, names.limited));
  }
  in.push_back(drop_rule(names.refused));
  allowed.push_back({nft::CountIn{names.received}, nft::Verdict{NF_ACCEPT, {}}});
}

/// Packets of the jail's sockets: from its own port, and nothing that opens a connection.
nft::Chain plan_out(const FirewallJail& jail, const FirewallNames& names) {
  nft::Rule answer = is_tcp();
  append(answer, {nft::Payload{NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2},
                  nft::Compare{NFT_CMP_EQ, big_endian(jail.port, 2)}});
  append_syn(answer, NFT_CMP_NEQ);
  append(answer, {nft::CountIn{names.sent}, nft::Verdict{NF_ACCEPT, {}}});
  return {std::nullopt, {answer, drop_rule(names.stopped)}};
}

nft::Chain base_chain(std::uint32_t hook, nft::Rule rule) {
  return {nft::Hook{hook, 0, NF_ACCEPT, "filter"}, {std::move(rule)}};
}

std::string jail_of(const nft::Element& element) { return element.comment; }

/// Adds a jail's element to a map; a key that is taken is an error.
Result<void> merge_elements(nft::Set& map, const nft::Set& more, std::string_view what) {
  for (const auto& element : more.elements) {
    const auto at = std::ranges::lower_bound(map.elements, element.low, {}, &nft::Element::low);
    if (at != map.elements.end() && at->low == element.low) {
      return fail(fmt::format("jails '{}' and '{}' have the same {}", jail_of(*at),
                              jail_of(element), what));
    }
    map.elements.insert(at, element);
  }
  return {};
}

}  // namespace

FirewallNames::FirewallNames(std::string_view jail) {
  const auto name = [&](std::string_view part) { return fmt::format("jail/{}/{}", jail, part); };
  in = name("in");
  allowed = name("allowed");
  out = name("out");
  allow4 = name("allow4");
  allow6 = name("allow6");
  recent4 = name("recent4");
  recent6 = name("recent6");
  received = name("received");
  sent = name("sent");
  refused = name("refused");
  limited = name("limited");
  stopped = name("stopped");
}

std::array<std::string, 3> FirewallNames::chains() const { return {in, allowed, out}; }

std::array<std::string, 4> FirewallNames::sets() const {
  return {allow4, allow6, recent4, recent6};
}

std::array<std::string, 5> FirewallNames::counters() const {
  return {received, sent, refused, limited, stopped};
}

std::vector<std::pair<Bytes, Bytes>> merge_networks(std::span<const Prefix> networks,
                                                    Prefix::Family family) {
  const std::size_t length = family == Prefix::Family::v4 ? 4 : 16;
  std::vector<std::pair<Bytes, Bytes>> intervals;
  for (const Prefix& network : networks) {
    if (network.family != family) continue;
    Bytes low(network.bytes.begin(), network.bytes.begin() + static_cast<std::ptrdiff_t>(length));
    Bytes high = low;
    for (std::size_t bit = network.length; bit < length * 8; ++bit) {
      const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
      low[bit / 8] &= static_cast<std::uint8_t>(~mask);
      high[bit / 8] |= mask;
    }
    intervals.emplace_back(std::move(low), std::move(high));
  }
  std::ranges::sort(intervals);
  std::vector<std::pair<Bytes, Bytes>> merged;
  for (auto& interval : intervals) {
    const auto past = merged.empty() ? std::nullopt : nft::successor(merged.back().second);
    if (!merged.empty() && (!past || interval.first <= *past)) {
      merged.back().second = std::max(merged.back().second, interval.second);
    } else {
      merged.push_back(std::move(interval));
    }
  }
  return merged;
}

nft::Table plan_shared() {
  using namespace firewall_names;
  nft::Table table;
  table.sets[std::string(ports)] = port_map();
  table.sets[std::string(owners)] = owner_map();
  table.counters[std::string(stray)] = {};

  nft::Rule to_jail = is_tcp();
  append(to_jail,
         {nft::Payload{NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2}, nft::Lookup{std::string(ports), true}});
  table.chains[std::string(input)] = base_chain(NF_INET_LOCAL_IN, std::move(to_jail));

  // Packets without a socket that has a file (of the kernel itself, of a connection that is not
  // accepted yet or closed already) have no skuid: the comparison ends the rule, and they pass.
  const nft::Rule uid = {nft::Meta{NFT_META_SKUID}, nft::ToNetworkOrder{}};
  nft::Rule from_jail = uid;
  append(from_jail, {nft::Compare{NFT_CMP_GTE, big_endian(kFirstUid, 4)},
                     nft::Verdict{NFT_GOTO, std::string(wall)}});
  table.chains[std::string(output)] = base_chain(NF_INET_LOCAL_OUT, std::move(from_jail));

  // Between the ranges and the shared labels lie uids that are none of evojail's business. The
  // labels are: a jail could make itself such a uid, and no session's socket has one. One load for
  // both, or "at most" for "below", and nft(8) takes the two comparisons for a range, which it
  // writes with another expression since 1.1.
  nft::Rule between = uid;
  append(between, {nft::Compare{NFT_CMP_GTE, big_endian(kPastUids, 4)}});
  between.insert(between.end(), uid.begin(), uid.end());
  append(between,
         {nft::Compare{NFT_CMP_LT, big_endian(kFirstLabel, 4)}, nft::Verdict{NFT_RETURN, {}}});
  table.chains[std::string(wall)] = {
      std::nullopt,
      {std::move(between),
       {nft::Meta{NFT_META_SKUID}, nft::Lookup{std::string(owners), true}},
       drop_rule(std::string(stray))}};
  return table;
}

nft::Table plan_jail(const FirewallJail& jail) {
  const FirewallNames names(jail.name);
  nft::Table table;
  for (const auto& counter : names.counters()) table.counters[counter] = {};
  plan_in(table, jail, names);
  nft::Set ports = port_map();
  ports.elements.push_back(map_element(big_endian(jail.port, 2), names.in, jail.name));
  table.sets.emplace(firewall_names::ports, std::move(ports));
  if (jail.owner_uid != 0) {
    table.chains[names.out] = plan_out(jail, names);
    nft::Set owners = owner_map();
    owners.elements.push_back(map_element(host_order(jail.owner_uid), names.out, jail.name));
    table.sets.emplace(firewall_names::owners, std::move(owners));
  }
  return table;
}

Result<void> check_firewall_jail(const FirewallJail& jail) {
  if (jail.port == 0) return fail(fmt::format("jail '{}' has no port", jail.name));
  if (jail.owner_uid != 0 && (jail.owner_uid < kFirstUid || jail.owner_uid >= kPastUids)) {
    return fail(fmt::format("jail '{}': uid {} lies outside the jails' ranges, {} to {}", jail.name,
                            jail.owner_uid, kFirstUid, kPastUids - 1));
  }
  return {};
}

Result<nft::Table> plan_table(std::span<const FirewallJail> jails) {
  nft::Table table = plan_shared();
  for (const FirewallJail& jail : jails) {
    CHECK(check_firewall_jail(jail));
    nft::Table one = plan_jail(jail);
    if (table.chains.contains(FirewallNames(jail.name).in)) {
      return fail(fmt::format("jail '{}' is named twice", jail.name));
    }
    for (const auto& [map, what] : {std::pair{firewall_names::ports, "port"},
                                    std::pair{firewall_names::owners, "uid range"}}) {
      const auto found = one.sets.find(map);
      if (found == one.sets.end()) continue;
      CHECK(merge_elements(table.sets.find(map)->second, found->second, what));
      one.sets.erase(found);
    }
    table.chains.merge(one.chains);
    table.sets.merge(one.sets);
    table.counters.merge(one.counters);
  }
  return table;
}

}  // namespace evojail
