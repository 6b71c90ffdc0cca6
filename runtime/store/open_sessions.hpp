#pragma once

#include <optional>
#include <string>
#include <vector>

namespace evojail {

/// The latest session of a jail that has ended.
struct EndedSession {
  std::string peer;   ///< address
  std::string since;  ///< as in the line of an open one
  std::string line;   ///< for the inc's record
  bool push = false;  ///< it ran a command

  bool operator==(const EndedSession&) const = default;
};

/// What an inc has to know of a jail's sessions: at one moment, or, after add(), from one to the
/// next. Without facts a session may be open.
struct OpenSessions {
  std::vector<std::string> lines;  ///< one a session, for the inc's record
  /// A session says that it runs a command, or nobody could be asked.
  bool push_in_flight = false;
  /// Nothing in the jail can be writing: it is off, or its last session ended so long ago that what
  /// it may have left behind has been killed.
  bool idle = false;
  std::optional<EndedSession> last{};
  std::vector<std::string> finished{};  ///< those of `lines` whose command has ended

  /// Takes in what was found later: the worse of both answers, every session that either knows, and
  /// one that came and went between them, as far as the last that ended tells.
  void add(const OpenSessions& later);
};

}  // namespace evojail
