#include <linux/netlink.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "fuzz.hpp"
#include "kernel/nftables_reply.hpp"

// One message as nf_tables could send it; the header's length is the socket's to check.
EVOJAIL_FUZZ(netlink) {
  using namespace nft;
  if (input.size() < sizeof(nlmsghdr) || input.size() > 1 << 16) return;
  // Exactly as long as the message, so that a step beyond its end is seen.
  const auto bytes = std::make_unique<char[]>(input.size());
  std::memcpy(bytes.get(), input.data(), input.size());
  auto& message = *reinterpret_cast<nlmsghdr*>(bytes.get());
  message.nlmsg_len = static_cast<std::uint32_t>(input.size());

  static_cast<void>(decode_table_flags(message));
  static_cast<void>(decode_generation(message));
  static_cast<void>(decode_set(message));
  static_cast<void>(decode_object(message));
  if (const auto owner = decode_owner(message)) {
    require(owner->table.find('\0') == std::string::npos, "a name ends at its NUL");
    if (const auto flowtable = decode_flowtable(message, owner->table)) {
      require(flowtable->find('\0') == std::string::npos, "a name ends at its NUL");
    }
  }
  if (const auto chain = decode_chain(message)) {
    require(chain->chain.rules.empty(), "a chain comes without its rules");
  }
  if (const auto rule = decode_rule(message)) {
    require(rule->rule == rule->rule, "a rule is itself");
  }
  if (auto elements = decode_elements(message)) {
    for (const bool interval : {false, true}) {
      const auto joined = join_elements(*elements, interval);
      require(joined.size() <= elements->size(), "joining makes nothing new");
      require(std::ranges::is_sorted(joined, {}, &Element::low), "elements come sorted");
    }
  }
}
