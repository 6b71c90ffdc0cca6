#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace evojail {

/// What a supervisor that cannot start sends through sd_notify(3), for whoever waits for it: a
/// STATUS= that systemd shows and keeps, and the error in two variables of our own, which systemd
/// passes over.
[[nodiscard]] std::string format_failure_notice(const Error& error);

/// What a notification says, as far as a start needs it.
struct Notice {
  bool ready = false;
  std::optional<Error> failure;
};
[[nodiscard]] Notice parse_notice(std::string_view variables);

/// The error in a unit's StatusText, if that is where format_failure_notice() put one.
[[nodiscard]] std::optional<Error> failure_in_status(std::string_view status_text);

}  // namespace evojail
