#pragma once

#include <optional>
#include <string>

namespace evojail {

/// What this process runs, in other words the build ids (ld(1), --build-id) of the program and of
/// each library in it: another build of any of them is other code, whatever its version says.
/// Libraries that were loaded after the start are left out. Nothing where one has no build id.
[[nodiscard]] std::optional<std::string> loaded_code();

}  // namespace evojail
