#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "retention/calendar.hpp"
#include "retention/civil_date.hpp"
#include "retention/policy.hpp"

/// Which incs of a jail stay and which go: the facts in, a plan out, nothing looked up.
///
///   Calendar calendar(now, load_local_zone());            // one for all jails of a run
///   TRY(Policy policy, parse_policy(text, paths.incs_policy));
///   TRY(Plan plan, decide(facts, &policy, calendar, options));
///   for (const Verdict& verdict : plan.verdicts) if (verdict.removed()) …
///
/// An inc stays when its name contains the day that a line of the policy names (bkctld's rule),
/// when it is held, or while MIN_INCS or MIN_AGE protect it. No inc goes where there is no policy,
/// where a line names no day, and while the plan is stopped.
namespace evojail {

/// A directory among a jail's incs.
struct IncFacts {
  std::string name;
  bool complete = true;  ///< by its record; bkctld's incs have none, and are complete
  bool held = false;     ///< inc-hold, or freeze
  /// The first second in which the hold no longer binds; nothing where it has no end.
  std::optional<std::int64_t> held_until{};

  bool operator==(const IncFacts&) const = default;
};

struct RetentionOptions {
  unsigned min_incs = 0;         ///< MIN_INCS: so many newest complete incs stay
  std::chrono::days min_age{0};  ///< MIN_AGE: an inc younger than this stays
  /// rm --if-fresh: stop where no complete inc is younger than 48 h, or where those that are come
  /// after a gap.
  bool if_fresh = false;
};

/// What keeps an inc; the first that applies.
enum class Keeper : std::uint8_t {
  nothing,    ///< it goes
  foreign,    ///< its name is not %Y-%m-%d-%H: listed, and nobody's business here
  no_policy,  ///< the jail has no policy
  line,       ///< a line of the policy
  hold,       ///< a hold
  min_age,    ///< MIN_AGE
  min_incs,   ///< MIN_INCS
  stopped,    ///< it would go, but the plan is stopped
};

struct Verdict {
  std::string name;
  Keeper keeper = Keeper::nothing;
  std::size_t line = 0;  ///< Keeper::line: the index in Policy::lines of the first that keeps it

  [[nodiscard]] bool removed() const { return keeper == Keeper::nothing; }
  bool operator==(const Verdict&) const = default;
};

/// Why a whole jail keeps everything for now.
enum class Stop : std::uint8_t {
  no,
  clock,      ///< the clock stands before the newest inc, so it cannot be trusted to date any
  not_fresh,  ///< if_fresh: no complete inc is younger than 48 hours
  gap,        ///< if_fresh: before those that are, none was taken for unusually long
};

struct Plan {
  std::vector<Verdict> verdicts;  ///< one an entry, sorted by name
  Stop stop = Stop::no;
};

/// @param policy nullptr where the jail has none
/// @return an error with file and line where a line names no day today.
[[nodiscard]] Result<Plan> decide(std::span<const IncFacts> incs, const Policy* policy,
                                  Calendar& calendar, const RetentionOptions& options);

/// One sentence on Plan::stop for people; empty for Stop::no.
[[nodiscard]] std::string describe(Stop stop, std::span<const IncFacts> incs,
                                   const Calendar& calendar);

/// One phrase on what keeps an inc: "line 3: +%Y-%m-%d.-1day", "MIN_INCS".
[[nodiscard]] std::string describe(const Verdict& verdict, const Policy* policy);

}  // namespace evojail
