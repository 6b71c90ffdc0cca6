#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jail/log_limit.hpp"

namespace evojail {

/// Turns what one session writes to its log into lines fit for the host's: escaped, of bounded
/// length and bounded rate. What is over the rate is dropped and counted, and the count is told
/// with the next line that passes. Pure: the time comes in as a value.
class SessionLog {
 public:
  using Clock = LogLimit::Clock;
  static constexpr std::size_t line_limit = 400;       ///< bytes of one line
  static constexpr std::size_t lines_per_second = 20;  ///< in the long run
  static constexpr std::size_t burst = 100;            ///< lines at once

  /// @return the lines that `bytes` completed and that may be logged.
  [[nodiscard]] std::vector<std::string> feed(std::string_view bytes, Clock::time_point now);
  /// The rest, at the end of the session.
  [[nodiscard]] std::vector<std::string> finish(Clock::time_point now);

 private:
  void end_line(std::vector<std::string>& lines, Clock::time_point now);
  std::string line_;
  bool overlong_ = false;
  LogLimit limit_{lines_per_second, burst};
};

}  // namespace evojail
