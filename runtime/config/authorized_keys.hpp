#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.hpp"

namespace evojail {

/// Checks the text of an authorized_keys file line by line (sshd(8), AUTHORIZED_KEYS FILE FORMAT):
/// optional options, a key type that sshd knows, base64 whose blob names the same type and has its
/// length, a comment. Blank and '#' lines pass. A line that is no key, a private key, or no key at
/// all is an error with file and line.
/// @return how many keys there are, at least one.
[[nodiscard]] Result<std::size_t> check_authorized_keys(std::string_view text,
                                                        std::string_view file);

}  // namespace evojail
