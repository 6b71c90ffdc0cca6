#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "retention/calendar.hpp"
#include "retention/forecast.hpp"

namespace evojail {

/// One entry of INCDIR/NAME and what `rm` makes of it.
struct PlannedInc {
  std::string name;
  bool removed = false;
  std::string reason;          ///< what keeps it, or that nothing does
  std::optional<Fate> fate{};  ///< RemovalQuestion::explain only: when it will go
};

struct RemovalPlan {
  std::string owner;
  std::vector<PlannedInc> incs;
  std::string stopped;  ///< why nothing is removed for now; empty: nothing stands in the way
};

struct RemovalQuestion {
  bool if_fresh = false;
  bool explain = false;
};

/// What `rm` would remove of one directory of INCDIR: its entries, its policy and its settings
/// brought together. A jail that never was is ErrorKind::no_such_jail; one without incs has an
/// empty plan.
[[nodiscard]] Result<RemovalPlan> plan_removal(const HostSettings& host, const std::string& owner,
                                               Calendar& calendar, const RemovalQuestion& question);

}  // namespace evojail
