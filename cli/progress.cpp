#include "cli/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>

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
  std::string text = fmt::format("{}:", verb);
  if (state.total != 0) text += fmt::format(" {} of {},", state.done, state.total);
  text += fmt::format(" {}", state.what);
  if (state.entries != 0) text += fmt::format(", {} entries", state.entries);
  if (state.bytes != 0) text += ", " + format_bytes(state.bytes);
  const double seconds = std::chrono::duration<double>(elapsed).count();
  if (state.done != 0 && seconds > 0) {
    const double rate = static_cast<double>(state.done) / seconds;
    text += fmt::format(", {:.1f} a second", rate);
    if (state.total > state.done) {
      const double left = static_cast<double>(state.total - state.done) / rate;
      text += fmt::format(", about {} left", format_duration(std::llround(std::ceil(left))));
    }
  } else if (state.entries != 0 && seconds > 0) {
    text += fmt::format(", {:.0f} entries a second", static_cast<double>(state.entries) / seconds);
  }
  return text;
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
