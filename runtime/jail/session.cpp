#include "jail/session.hpp"

#include <fmt/format.h>

namespace evojail {

std::string describe(const SessionRecord& record) {
  std::string text = fmt::format("session from {} ended after {} s, {} bytes received, {} sent",
                                 to_string(record.peer), record.ended - record.began,
                                 record.traffic.received, record.traffic.sent);
  if (!record.command.empty()) {
    text += fmt::format("; the client says: '{}'", record.command);
    if (!record.outcome.empty()) text += ": " + record.outcome;
  }
  return text;
}

}  // namespace evojail
