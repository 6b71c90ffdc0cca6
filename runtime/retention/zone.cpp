#include "retention/zone.hpp"

namespace evojail {
namespace {

constexpr std::int64_t kDay = 86'400;

/// mktime(3) met `local` at `utc`, but in the other state of the clocks: it looks to both sides for
/// the nearest time in the wanted state, and reckons with the offset there.
std::int64_t in_other_state(std::int64_t local, std::int64_t utc, const Zone& zone, bool summer) {
  // Its authors' figures: the shortest stretch of one state in the tz database, and half the
  // longest.
  constexpr std::int64_t kStride = 601'200;
  constexpr std::int64_t kBound = 457'243'209 / 2 + kStride;
  for (std::int64_t delta = kStride; delta < kBound; delta += kStride) {
    for (const std::int64_t probe : {utc - delta, utc + delta}) {
      const LocalOffset there = zone(probe);
      if (there.summer == summer) return local - there.seconds_east;
    }
  }
  return utc + (summer ? -3600 : 3600);
}

}  // namespace

LocalTime to_local(std::int64_t utc, const Zone& zone) {
  const LocalOffset there = zone(utc);
  const std::int64_t local = utc + there.seconds_east;
  const std::int64_t seconds = ((local % kDay) + kDay) % kDay;
  return {.date = from_days((local - seconds) / kDay), .seconds = seconds, .summer = there.summer};
}

std::optional<FoundTime> find_instant(std::int64_t local, const Zone& zone, std::int64_t guess,
                                      std::optional<bool> summer) {
  // mktime(3) probes at most six times, which its authors chose for every zone in the tz database.
  constexpr int kProbes = 6;
  std::int64_t probe = local + guess;
  std::int64_t before_last = probe;
  std::int64_t last = probe;
  bool last_summer = false;
  for (int i = 0; i < kProbes; ++i) {
    const LocalOffset there = zone(probe);
    const std::int64_t error = local - (probe + there.seconds_east);
    if (error == 0) {
      if (summer && *summer != there.summer) probe = in_other_state(local, probe, zone, *summer);
      return FoundTime{.utc = probe, .guess = probe - local};
    }
    // Two probes ago it stood here too, so the search swings over a gap.
    const bool swings = probe == before_last && probe != last;
    if (swings && (summer ? *summer != there.summer : there.summer || !last_summer)) {
      return FoundTime{.utc = probe, .guess = probe - local};
    }
    before_last = last;
    last = probe;
    last_summer = there.summer;
    probe += error;
  }
  return std::nullopt;
}

}  // namespace evojail
