#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace evojail {

/// Failures of a run over several jails: every jail is tried, what failed is said at the end.
class Failures {
 public:
  void add(std::string jail, Error error) { list_.emplace_back(std::move(jail), std::move(error)); }
  [[nodiscard]] bool none() const { return list_.empty(); }

  /// Prints them. Of a run over one jail that is the error itself, and its kind is the exit code;
  /// of more, a line each behind "2 of 5 jails failed", and 1.
  /// @return the exit code of the run.
  [[nodiscard]] int finish(std::size_t tried, std::string_view noun = "jail") const;

 private:
  std::vector<std::pair<std::string, Error>> list_;
};

/// Runs `action(name)`, which returns Result<void>, for each jail.
/// @return the exit code of the run; failures have been printed.
template <class ForOne>
[[nodiscard]] int for_each_jail(const std::vector<std::string>& names, ForOne action) {
  Failures failures;
  for (const std::string& name : names) {
    if (Result<void> done = action(name); !done) failures.add(name, std::move(done).error());
  }
  return failures.finish(names.size());
}

}  // namespace evojail
