#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "jail/event_loop.hpp"
#include "jail/log.hpp"
#include "jail/supervisor_state.hpp"

namespace evojail {

/// Whether what a session ran was a push that ended well, by the client's own claim: rsync's
/// receiving side (no --sender, no dry run) and exit 0, or 24 for files that vanished from the
/// client. It spoke rsync's protocol to the end then, which no mere handshake does. Whether any of
/// its bytes were contents only rsync knows: one that found nothing to send counts, and the inc of
/// an unchanged tree costs little.
/// @param command, outcome as in SessionRecord.
[[nodiscard]] bool is_push(std::string_view command, std::string_view outcome);

/// INC_AT_PUSH_END: takes incs by `evojail inc NAME`, one at a time; a push that ends while one is
/// taken is remembered, as one more. Its state outlives it, across a reload.
class PushEndIncs {
 public:
  /// @param words the command without its program: own_program() is asked for that each time.
  PushEndIncs(PushEndState& state, EventLoop& loop, std::vector<std::string> words, LogSink log)
      : state_(state), loop_(loop), words_(std::move(words)), log_(std::move(log)) {}

  /// Goes on with the inc that was handed over, if there is one.
  [[nodiscard]] Result<void> attach();
  /// A push has ended.
  void want();
  /// The jail stops: an inc under way ends, and the next operation on the jail clears up after it.
  void stop();

 private:
  [[nodiscard]] Result<void> start();
  void on_ended();
  void report(const ExitStatus& status);

  PushEndState& state_;
  EventLoop& loop_;
  std::vector<std::string> words_;
  LogSink log_;
  bool stopped_ = false;
};

}  // namespace evojail
