#include "jail/session.hpp"

#include <fmt/format.h>

namespace evojail {

namespace {

/// A quote that the client wrote must not end the quotes.
std::string in_quotes(std::string_view command) {
  std::string text = "'";
  for (const char c : command) {
    if (c == '\'') {
      text += "\\x27";
    } else {
      text += c;
    }
  }
  return text + "'";
}

}  // namespace

std::string describe(const SessionRecord& record) {
  std::string text = fmt::format("session from {} ended after {} s, {} bytes received, {} sent",
                                 to_string(record.peer), record.ended - record.began,
                                 record.traffic.received, record.traffic.sent);
  if (!record.command.empty()) {
    text += "; the client says: " + in_quotes(record.command);
    if (!record.outcome.empty()) text += ": " + record.outcome;
  }
  return text;
}

}  // namespace evojail
