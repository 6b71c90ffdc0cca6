#pragma once

#include "base/result.hpp"

namespace evojail {

/// The program's exit codes: what bkctld's users script against.
namespace exit_code {
inline constexpr int done = 0;
inline constexpr int failed = 1;  ///< usage errors too, and a bulk run in which some jails failed
inline constexpr int no_such_jail = 2;
inline constexpr int layout_version = 3;  ///< the jail was laid out by another version
inline constexpr int off = 100;           ///< is-on: the jail does not run
inline constexpr int refused = 101;       ///< the person said no
}  // namespace exit_code

/// The exit code that an error's kind stands for.
[[nodiscard]] int exit_code_of(const Error& error);

}  // namespace evojail
