#include <algorithm>
#include <array>
#include <charconv>

#include "jail/session_report.hpp"

// What the session shell, a small static program, shares with the supervisor: nothing here
// allocates.

namespace evojail {
namespace {

/// Appends to a line of fixed size; what does not fit is left out. One byte is kept for the
/// newline.
class Line {
 public:
  explicit Line(std::span<char, session_report_limit> bytes) : bytes_(bytes) {}

  void add(std::string_view text) {
    const std::size_t length = std::min(text.size(), room());
    std::copy_n(text.begin(), length, bytes_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ += length;
  }

  void add(long number) {
    std::array<char, 24> digits{};
    auto* const end = std::to_chars(digits.begin(), digits.end(), number).ptr;
    add({digits.begin(), end});
  }

  /// With a mark behind what was cut, so that a command is never mistaken for another one.
  void add_escaped(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      const std::array hex{'\\', 'x', digits[byte >> 4U], digits[byte & 15U]};
      std::string_view escaped(&c, 1);
      if (c == '\\') escaped = "\\\\";
      if (c < ' ' || c > '~') escaped = {hex.data(), hex.size()};
      if (room() < escaped.size() + command_cut_mark.size()) {
        add(command_cut_mark);
        return;
      }
      add(escaped);
    }
  }

  std::size_t end() {
    bytes_[used_++] = '\n';
    return used_;
  }

 private:
  [[nodiscard]] std::size_t room() const { return bytes_.size() - 1 - used_; }

  std::span<char, session_report_limit> bytes_;
  std::size_t used_ = 0;
};

void add_session(Line& line, std::string_view peer, std::uint16_t port, int pid) {
  line.add(peer.substr(0, 64));
  line.add(" ");
  line.add(port);
  line.add(" ");
  line.add(pid);
}

}  // namespace

std::size_t format_begin_report(std::span<char, session_report_limit> line, std::string_view peer,
                                std::uint16_t port, int pid,
                                std::optional<std::string_view> command) {
  Line out(line);
  out.add("begin ");
  add_session(out, peer, port, pid);
  if (command) {
    out.add(" ");
    out.add_escaped(*command);
  }
  return out.end();
}

std::size_t format_end_report(std::span<char, session_report_limit> line, std::string_view peer,
                              std::uint16_t port, int pid, bool signalled, int status) {
  Line out(line);
  out.add("end ");
  add_session(out, peer, port, pid);
  out.add(signalled ? " signal " : " exit ");
  out.add(status);
  return out.end();
}

}  // namespace evojail
