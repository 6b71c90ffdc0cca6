#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "retention/civil_date.hpp"

namespace evojail {

/// What the clocks of a place show at an instant.
struct LocalOffset {
  std::int32_t seconds_east = 0;  ///< local time minus UTC
  bool summer = false;            ///< tm_isdst
};

/// A time zone's rules: from seconds since the epoch to the offset then. Must be a pure function.
using Zone = std::function<LocalOffset(std::int64_t)>;

/// Civil date, seconds since its midnight and summer time, by the clocks of a place.
struct LocalTime {
  CivilDate date;
  std::int64_t seconds = 0;
  bool summer = false;

  bool operator==(const LocalTime&) const = default;
};

[[nodiscard]] LocalTime to_local(std::int64_t utc, const Zone& zone);

/// An instant found from a local time, and what the next search in the same process starts from.
struct FoundTime {
  std::int64_t utc = 0;
  std::int64_t guess = 0;
};

/// The instant at which `zone`'s clocks show `local` seconds since 1970-01-01 00:00, as mktime(3)
/// of the GNU C library finds it: of two such instants the one that it meets first from `guess`
/// (UTC minus local time, 0 in a new process); where the clocks skip that time, an instant as far
/// away as the gap is wide, in summer time, or where neither side or both are, on the side that the
/// guess leads to. With `summer` (tm_isdst 0 or 1, else -1) the local time is one of clocks in that
/// state, and the instant found may be shown otherwise.
/// @return nothing where the search does not end (EOVERFLOW).
[[nodiscard]] std::optional<FoundTime> find_instant(std::int64_t local, const Zone& zone,
                                                    std::int64_t guess = 0,
                                                    std::optional<bool> summer = std::nullopt);

}  // namespace evojail
