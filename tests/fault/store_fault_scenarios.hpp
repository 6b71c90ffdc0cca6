#pragma once

#include <functional>
#include <string>
#include <vector>

#include "support/store_world.hpp"

namespace evojail::test {

/// One operation on one jail, how it is brought to its end afterwards, and what must be true then.
struct Scenario {
  std::string name;
  /// What the jail needs before; it exists already, except before `create`.
  std::function<void(StoreWorld&, const std::string&)> prepare;
  /// 0 when all went well. Called a second time, without a fault, it converges.
  std::function<int(StoreWorld&, const std::string&)> operate;
  /// In any state, right after the fault.
  std::function<void(StoreWorld&, const std::string&)> check_between;
  /// After it said that all went well, for the first time or the second.
  std::function<void(StoreWorld&, const std::string&)> check_done;
  /// What the fault left does not stand in the way of what comes next.
  std::function<void(StoreWorld&, const std::string&)> go_on;
  /// Where the older inc must be at any time, one of them; none: there is none, or it may go.
  std::function<std::vector<std::string>(const StoreWorld&, const std::string&)> older{};
  /// A failure leaves all as it was before: the next can meet the same jail.
  bool undone = false;
  bool of_btrfs = false;  ///< only there
};

/// Every operation of the store, each to be met by faults.
[[nodiscard]] std::vector<Scenario (*)()> all_scenarios();

}  // namespace evojail::test
