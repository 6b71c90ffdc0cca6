#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace evojail {

/// The latest session of a jail that has ended.
struct EndedSession {
  std::string peer;   ///< address
  std::string since;  ///< as in the line of an open one
  std::string line;   ///< for the inc's record

  bool operator==(const EndedSession&) const = default;
};

/// How many commands sessions have begun since the jail was started: what comes and goes between
/// two looks leaves this behind, whatever connections it shares.
struct BegunCommands {
  std::int64_t since = 0;  ///< the start, seconds since the epoch
  std::int32_t init = 0;   ///< pid of the jail's init: with `since`, which start it was
  std::uint64_t count = 0;

  bool operator==(const BegunCommands&) const = default;
};

/// What an inc has to know of a jail's sessions: at one moment, or, after add(), from one to the
/// next. Without facts a session may be open.
struct OpenSessions {
  std::vector<std::string> lines;  ///< one a session, for the inc's record
  /// A session says that it runs a command, or did between the looks, or nobody could be asked.
  bool push_in_flight = false;
  /// Nothing in the jail can be writing: it is off, or its last session ended so long ago that what
  /// it may have left behind has been killed.
  bool idle = false;
  std::optional<EndedSession> last{};
  std::optional<BegunCommands> begun{};  ///< none: the jail is off

  /// Takes in what was found later: the worse of both answers, and what came and went between them.
  /// Of several sessions that did, `lines` has the last.
  void add(const OpenSessions& later);
};

}  // namespace evojail
