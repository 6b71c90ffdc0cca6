#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace evojail {

/// What supervisor and init tell each other, one SEQPACKET message each; descriptors travel beside
/// it.
struct InitMessage {
  /// A reload may bring another program to an init that was started by the one before: a number
  /// that was given stays what it is.
  enum class Kind : std::uint8_t {
    // supervisor to init
    session = 0,         ///< `id`, descriptors: connection, log pipe: start an sshd for it
    rules = 1,           ///< `text`: SessionRules for the sessions to come
    end_session = 2,     ///< `id`: kill it with all its processes, now
    end_all = 3,         ///< kill every session, now
    stop = 4,            ///< end every session and leave
    end_leftovers = 10,  ///< kill what outlived its session now, without the usual grace
    plan = 11,           ///< `text`: LaunchPlan, descriptor: user namespace; the first message
    // init to supervisor
    ready = 5,      ///< set up; descriptors: the report FIFO, the mknod listener
    failed = 6,     ///< `text`, `hint`, `value` (errno): the step of the set-up that failed
    ended = 7,      ///< `id`: the session's sshd has ended; `value`: its wait status
    leftovers = 8,  ///< `value`: how many processes outlived their session and were killed
    started = 9,    ///< `id`: the session's sshd runs; `value`: its pid in the jail
  };
  Kind kind{};
  std::uint32_t id = 0;
  std::int32_t value = 0;
  std::string text = {};
  std::string hint = {};
};

/// What init says of an error that ends it.
[[nodiscard]] InitMessage failure_of(const Error& error);

[[nodiscard]] std::string encode(const InitMessage& message);
/// Refuses what encode() cannot have written.
[[nodiscard]] Result<InitMessage> decode_init_message(std::string_view bytes);

}  // namespace evojail
