#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace evojail {

/// The hint of an error that root would not have run into.
inline constexpr std::string_view run_as_root = "run it as root, with sudo for instance";

/// "evojail: MESSAGE", and where the error has one a second line "hint: HINT".
[[nodiscard]] std::string format_error(const Error& error);

/// On stderr. Each is written with one write(2), so that lines of processes that run side by side
/// do not mix.
void print_error(const Error& error);
void print_warning(std::string_view text);
/// What a person wants to know and a script does not: on stderr, like every message.
void print_note(std::string_view text);

}  // namespace evojail
