#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace evojail {

/// What supervisor and init tell each other, one SEQPACKET message each; descriptors travel beside
/// it.
struct InitMessage {
  enum class Kind : std::uint8_t {
    // supervisor to init
    session,      ///< `id`, descriptors: connection, log pipe: start an sshd for it
    rules,        ///< `text`: SessionRules for the sessions to come
    end_session,  ///< `id`: kill it with all its processes, now
    end_all,      ///< kill every session, now
    stop,         ///< end every session and leave
    end_leftovers,  ///< kill what outlived its session now, without the usual grace
    // init to supervisor
    ready,   ///< set up; descriptors: the report FIFO, then the mknod listener where one was asked
             ///< for
    failed,  ///< `text`, `hint`, `value` (errno): the step of the set-up that failed
    ended,   ///< `id`: the session's sshd has ended; `value`: its wait status
    leftovers,  ///< `value`: how many processes outlived their session and were killed
    started,    ///< `id`: the session's sshd runs; `value`: its pid in the jail
  };
  Kind kind{};
  std::uint32_t id = 0;
  std::int32_t value = 0;
  std::string text = {};
  std::string hint = {};
};

[[nodiscard]] std::string encode(const InitMessage& message);
/// Refuses what encode() cannot have written.
[[nodiscard]] Result<InitMessage> decode_init_message(std::string_view bytes);

}  // namespace evojail
