#pragma once

#include <string>
#include <string_view>

namespace evojail {

enum class Colour { none, good, warning, bad, faint };

/// Whether a person looks at the descriptor.
[[nodiscard]] bool is_terminal(int fd);

/// Whether stdout takes colour: a terminal that is not dumb, and no NO_COLOR in the environment
/// (no-color.org: set and not empty).
[[nodiscard]] bool stdout_takes_colour();

/// `text` with the colour's SGR sequence (ECMA-48) around it, where `enabled`.
[[nodiscard]] std::string coloured(std::string_view text, Colour colour, bool enabled);

/// Asks on the terminal and reads one line. @return whether the answer was "yes" or "y".
[[nodiscard]] bool ask_yes(std::string_view question);

}  // namespace evojail
