#include "jail/session_report.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/parse.hpp"

namespace evojail {
namespace {

constexpr std::size_t max_peer = 64;

bool is_peer(std::string_view text) {
  constexpr std::string_view letters =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.:%_-";
  return !text.empty() && text.size() <= max_peer &&
         text.find_first_not_of(letters) == std::string_view::npos;
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

/// Whether `text` is what escaping makes: nothing unprintable, every backslash followed by its due.
bool is_escaped(std::string_view text) {
  while (!text.empty()) {
    if (text.front() < ' ' || text.front() > '~') return false;
    std::size_t length = 1;
    if (text.front() == '\\') {
      if (text.starts_with("\\\\")) {
        length = 2;
      } else if (text.size() >= 4 && text[1] == 'x' && is_hex(text[2]) && is_hex(text[3])) {
        length = 4;
      } else {
        return text == command_cut_mark;
      }
    }
    text.remove_prefix(length);
  }
  return true;
}

/// The first word of `text`, which loses it and one blank behind it.
std::string_view take_word(std::string_view& text) {
  const auto end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

}  // namespace

std::optional<SessionReport> parse_session_report(std::string_view line) {
  if (line.size() >= session_report_limit) return std::nullopt;
  SessionReport report;
  const auto kind = take_word(line);
  const auto peer = take_word(line);
  const auto port = parse_number<std::uint16_t>(take_word(line), 0, UINT16_MAX);
  const auto pid = parse_number<int>(take_word(line), 1, std::numeric_limits<int>::max());
  if (!is_peer(peer) || !port || !pid) return std::nullopt;
  report.peer = peer;
  report.port = *port;
  report.pid = *pid;
  if (kind == "begin") {
    if (!is_escaped(line)) return std::nullopt;
    report.command = line;
    return report;
  }
  if (kind != "end") return std::nullopt;
  const auto how = take_word(line);
  const bool signalled = how == "signal";
  if (!signalled && how != "exit") return std::nullopt;
  // waitpid(2): a status has eight bits; signal(7): the numbers of signals end at 64.
  const auto status = parse_number<int>(line, signalled ? 1 : 0, signalled ? 64 : 255);
  if (!status) return std::nullopt;
  report.kind = signalled ? SessionReport::Kind::signalled : SessionReport::Kind::exited;
  report.status = *status;
  return report;
}

void SessionReportReader::feed(std::string_view bytes,
                               const std::function<void(const SessionReport&)>& found) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto part = bytes.substr(0, end);
    if (!skipping_ && line_.size() + part.size() < session_report_limit) {
      line_ += part;
    } else {
      skipping_ = true;
      line_.clear();
    }
    if (end == std::string_view::npos) return;
    bytes.remove_prefix(end + 1);
    const auto report = skipping_ ? std::nullopt : parse_session_report(line_);
    skipping_ = false;
    line_.clear();
    if (report) {
      found(*report);
    } else {
      ++rejected_;
    }
  }
}

}  // namespace evojail
