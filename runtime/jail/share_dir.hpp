#pragma once

#include <string>

#include "base/result.hpp"

namespace evojail {

/// The directory that holds profiles/: <directory of the executable>/../share/evojail. Found from
/// /proc/self/exe, so that one rule serves a build tree and an installation under any prefix. An
/// executable that has been replaced since it started counts as the new one.
[[nodiscard]] Result<std::string> find_share_dir();

/// The program that becomes root's shell in every jail:
/// <directory of the executable>/../libexec/evojail/evojail-session-shell.
[[nodiscard]] Result<std::string> find_session_shell();

/// The program that is every jail's PID 1, beside that shell.
[[nodiscard]] Result<std::string> find_init();

}  // namespace evojail
