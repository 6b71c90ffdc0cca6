#include "jail/session_admission.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/amount.hpp"

namespace evojail {
namespace {

/// Whoever has one address of an IPv6 network has 2^64.
Prefix source_of(Prefix address) {
  constexpr std::uint8_t network_bits = 64;
  if (address.family == Prefix::Family::v6) {
    address.length = network_bits;
    std::fill(address.bytes.begin() + network_bits / 8, address.bytes.end(), std::uint8_t{0});
  }
  return address;
}

}  // namespace

unsigned unproven_share(unsigned most) {
  // A client opens three connections a run, which may overlap.
  constexpr unsigned least = 3;
  return std::min(most, std::max(least, most / 4));
}

Admission admit(const std::vector<SessionSlot>& open, const Prefix& source, unsigned most) {
  std::map<Prefix, unsigned> unproven;
  std::size_t taken = 0;
  std::size_t ending = 0;
  for (const auto& slot : open) {
    ++(slot.ending ? ending : taken);
    if (!slot.ending && !slot.proven) ++unproven[source_of(slot.source)];
  }
  const unsigned own = unproven[source_of(source)];
  if (own >= unproven_share(most)) {
    return {.kind = Admission::Kind::refuse,
            .reason = fmt::format("{} of that source {} not logged in yet",
                                  count_of(own, "session"), own == 1 ? "has" : "have")};
  }
  if (taken < most && ending < most) return {};
  const auto largest =
      std::ranges::max_element(unproven, {}, [](const auto& entry) { return entry.second; });
  if (ending >= most || largest->second <= own) {
    return {.kind = Admission::Kind::refuse,
            .reason =
                fmt::format("{} open, as many as MAX_SESSIONS allows", count_of(taken, "session"))};
  }
  // Among equals the oldest session goes, whatever its address.
  const auto oldest = std::ranges::find_if(open, [&](const auto& slot) {
    return !slot.ending && !slot.proven && unproven[source_of(slot.source)] == largest->second;
  });
  return {.kind = Admission::Kind::replace, .id = oldest->id};
}

}  // namespace evojail
