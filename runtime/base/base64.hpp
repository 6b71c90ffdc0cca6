#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace evojail {

/// The bytes that `text` encodes in base64 (RFC 4648 section 4, padded, no line ends); nothing
/// where it is not canonical base64.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

/// The inverse, padded.
[[nodiscard]] std::string encode_base64(std::string_view bytes);

}  // namespace evojail
