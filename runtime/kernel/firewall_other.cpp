#include <fmt/format.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <tuple>
#include <variant>

#include "base/printable.hpp"
#include "kernel/firewall.hpp"
#include "kernel/nftables_reply.hpp"
#include "kernel/nftables_socket.hpp"

namespace evojail {
namespace {

using Key = std::tuple<std::uint8_t, std::string, std::string>;  // family, table, chain

std::string family_name(std::uint8_t family) {
  switch (family) {
    case NFPROTO_INET:
      return "inet";
    case NFPROTO_IPV4:
      return "ip";
    case NFPROTO_IPV6:
      return "ip6";
    default:
      return {};
  }
}

std::string hook_name(std::uint32_t hook) {
  switch (hook) {
    case NF_INET_PRE_ROUTING:
      return "prerouting";
    case NF_INET_LOCAL_IN:
      return "input";
    case NF_INET_LOCAL_OUT:
      return "output";
    case NF_INET_POST_ROUTING:
      return "postrouting";
    default:
      return {};
  }
}

/// Whether the expression can end a packet, or lead to where one is ended.
bool may_drop(const nft::Expression& expression) {
  if (const auto* verdict = std::get_if<nft::Verdict>(&expression)) {
    return verdict->code != NF_ACCEPT && verdict->code != NFT_RETURN &&
           verdict->code != NFT_CONTINUE;
  }
  if (const auto* lookup = std::get_if<nft::Lookup>(&expression)) return lookup->verdict;
  const auto* other = std::get_if<nft::Other>(&expression);
  if (other == nullptr) return false;
  // "target" is one of iptables', whichever; a "lookup" not in evojail's way may be a verdict map.
  constexpr std::array<std::string_view, 6> kEnding = {"reject", "queue",    "target",
                                                       "lookup", "synproxy", "immediate"};
  return std::ranges::find(kEnding, other->name) != kEnding.end();
}

}  // namespace

Result<std::vector<OtherChain>> Firewall::other_chains() {
  TRY(nft::Socket* const kernel, socket());
  std::map<Key, OtherChain> chains;
  CHECK(kernel->query({NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, true, {}}, [&](const nlmsghdr& message) {
    const auto found = nft::decode_chain(message);
    if (!found || !found->chain.hook) return;
    const auto& [family, table] = found->owner;
    const auto& hook = *found->chain.hook;
    if (family == NFPROTO_INET && table == table_) return;
    if (family_name(family).empty() || hook_name(hook.number).empty()) return;
    const bool drop = hook.policy == NF_DROP;
    chains[{family, table, found->name}] = {family_name(family),
                                            printable(table),
                                            printable(found->name),
                                            hook_name(hook.number),
                                            hook.priority,
                                            drop,
                                            drop};
  }));
  CHECK(kernel->query({NFT_MSG_GETRULE, NFPROTO_UNSPEC, true, {}}, [&](const nlmsghdr& message) {
    const auto found = nft::decode_rule(message);
    if (!found) return;
    const auto at = chains.find({found->owner.family, found->owner.table, found->chain});
    if (at == chains.end()) return;
    at->second.may_drop |= std::ranges::any_of(found->rule, may_drop);
  }));
  std::vector<OtherChain> sorted;
  for (auto& [key, chain] : chains) sorted.push_back(std::move(chain));
  std::ranges::sort(sorted, {}, [](const OtherChain& chain) {
    return std::tie(chain.hook, chain.priority, chain.family, chain.table, chain.chain);
  });
  return sorted;
}

}  // namespace evojail
