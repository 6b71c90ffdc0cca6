#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace evojail {

/// "SHA256:…" of a public key's line, as ssh(1) shows it to whoever connects for the first time;
/// nothing where the line holds no key.
[[nodiscard]] std::optional<std::string> fingerprint(std::string_view public_key);

}  // namespace evojail
