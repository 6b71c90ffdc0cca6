#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "retention/decide.hpp"

namespace evojail {

/// The day on which an inc will go.
struct Fate {
  enum class Kind : std::uint8_t {
    now,    ///< the plan removes it
    on,     ///< on `day`
    stays,  ///< on no day within sight: a foreign entry, no policy, a hold without an end, a fixed
            ///< day
  };
  Kind kind = Kind::stays;
  CivilDate day;

  bool operator==(const Fate&) const = default;
};

/// Plays `rm` once a day, at this time of day, into the future, for `rm --explain`: for each
/// verdict of `plan`, the day on which its inc goes if one complete inc is taken each day and
/// neither policy, holds nor settings change. It ends when all are gone, or well after the last day
/// on which the policy's lines, MIN_AGE, MIN_INCS and holds could keep any, at the latest in a
/// hundred years. No day counts on which the clock still stands before the newest inc; the stops of
/// if_fresh count for today only. Days on which a line names no day remove nothing.
/// @return one an entry of Plan::verdicts, in its order.
[[nodiscard]] std::vector<Fate> forecast(const Plan& plan, std::span<const IncFacts> incs,
                                         const Policy* policy, Calendar& calendar,
                                         const RetentionOptions& options);

}  // namespace evojail
