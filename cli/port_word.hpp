#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "config/host_settings.hpp"

namespace evojail {

/// "2222", or "auto" (nothing).
using PortWord = std::optional<std::uint16_t>;
[[nodiscard]] Result<PortWord> parse_port_word(const std::string& word);

/// The port that the word asks for, checked to be free for the jail. Call it under lock_ports().
[[nodiscard]] Result<std::uint16_t> take_port(const HostSettings& host, const std::string& name,
                                              PortWord word);

}  // namespace evojail
