#include "cli/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"

namespace evojail {
namespace {

constexpr std::chrono::seconds kPatience{2};
constexpr std::chrono::milliseconds kInterval{100};

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

void write_terminal(const std::string& text) {
  [[maybe_unused]] const auto written = write_all(STDERR_FILENO, "stderr", text);
}

}  // namespace

std::string format_progress(std::string_view verb, const ProgressState& state,
                            std::chrono::milliseconds elapsed) {
  // What is at work counts by the part of it that is done.
  const double part = state.expected_entries == 0
                          ? 0
                          : std::min(1.0, static_cast<double>(state.entries) /
                                              static_cast<double>(state.expected_entries));
  const double done = static_cast<double>(state.done) + part * static_cast<double>(state.at_once);
  const double total = static_cast<double>(std::max<std::uint64_t>(state.total, 1));

  // What a narrow terminal cuts off comes last.
  std::vector<std::string> parts;
  if (state.total != 0) {
    // Whole ones; those that are being worked on are not done before they are.
    const auto whole = static_cast<std::uint64_t>(done);
    const auto last = state.done + std::max<std::uint64_t>(state.at_once, 1) - 1;
    parts.push_back(fmt::format("{} of {}", std::min(whole, last), state.total));
  }
  const double seconds = std::chrono::duration<double>(elapsed).count();
  if (seconds > 0 && state.done != 0) {
    parts.push_back(fmt::format("{:.1f} a second", static_cast<double>(state.done) / seconds));
  } else if (seconds > 0 && state.entries != 0) {
    parts.push_back(
        fmt::format("{:.0f} entries a second", static_cast<double>(state.entries) / seconds));
  }
  const bool end_in_sight = state.total != 0 || state.expected_entries != 0;
  if (seconds > 0 && end_in_sight && done > 0 && done < total) {
    const double left = (total - done) * seconds / done;
    parts.push_back(fmt::format("about {} left", format_duration(std::llround(std::ceil(left)))));
  }
  parts.emplace_back(state.what);
  if (state.expected_entries != 0) {
    parts.push_back(fmt::format("{} of {} entries", state.entries, state.expected_entries));
  } else if (state.entries != 0) {
    parts.push_back(count_of(state.entries, "entry", "entries"));
  }
  if (state.bytes != 0) parts.push_back(format_bytes(state.bytes));
  return fmt::format("{}: {}", verb, fmt::join(parts, ", "));
}

Progress::Progress(std::string_view verb, bool quiet)
    : verb_(verb),
      enabled_(!quiet && is_terminal(STDERR_FILENO)),
      began_(Clock::now()),
      next_(began_ + kPatience) {}

void Progress::update(const ProgressState& state) {
  if (!enabled_) return;
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + kInterval;
  std::string line = format_progress(
      verb_, state, std::chrono::duration_cast<std::chrono::milliseconds>(now - began_));
  // A line that wraps could not be written over.
  if (line.size() >= terminal_width()) line.resize(terminal_width() - 1);
  write_terminal("\r" + line + "\x1b[K");
  shown_ = true;
}

void Progress::clear() {
  if (shown_) write_terminal("\r\x1b[K");
  shown_ = false;
}

}  // namespace evojail
