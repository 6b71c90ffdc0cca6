#include "jail/session_log.hpp"

#include <fmt/format.h>

#include <utility>

#include "base/amount.hpp"
#include "base/parse.hpp"
#include "base/printable.hpp"

namespace evojail {

std::vector<std::string> SessionLog::feed(std::string_view bytes, Clock::time_point now) {
  std::vector<std::string> lines;
  for (const char byte : bytes) {
    if (byte == '\n') {
      end_line(lines, now);
    } else if (line_.size() < line_limit) {
      line_ += byte;
    } else {
      overlong_ = true;
    }
  }
  return lines;
}

std::vector<std::string> SessionLog::finish(Clock::time_point now) {
  std::vector<std::string> lines;
  if (!line_.empty()) end_line(lines, now);
  if (const auto dropped = limit_.take_dropped()) {
    lines.push_back(fmt::format("({} dropped)", count_of(dropped, "line")));
  }
  return lines;
}

void SessionLog::end_line(std::vector<std::string>& lines, Clock::time_point now) {
  std::string line = printable(trim(line_), 4 * line_limit);
  if (overlong_) line += "...";
  line_.clear();
  overlong_ = false;
  if (!limit_.may_pass(now)) return;
  if (const auto dropped = limit_.take_dropped()) {
    lines.push_back(fmt::format("({} dropped)", count_of(dropped, "line")));
  }
  lines.push_back(std::move(line));
}

}  // namespace evojail
