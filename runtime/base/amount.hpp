#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace evojail {

/// "1.4 MiB": for people; exact below 1024.
[[nodiscard]] std::string format_bytes(std::uint64_t bytes);

/// "5 jails", "1 jail": the plural takes an 's' unless it is given.
[[nodiscard]] std::string count_of(std::uint64_t count, std::string_view noun,
                                   std::string_view plural = {});

}  // namespace evojail
