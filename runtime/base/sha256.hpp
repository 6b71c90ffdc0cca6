#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace evojail {

/// SHA-256 (FIPS 180-4) of `bytes`, for fingerprints of keys; nothing here is large.
[[nodiscard]] std::array<std::uint8_t, 32> sha256(std::string_view bytes);

}  // namespace evojail
