#pragma once

#include <string>
#include <string_view>

namespace evojail {

/// A jail's name as systemd-escape(1) writes it: bytes other than letters, digits, ':', '_' and '.'
/// (and a '.' in front) as \xNN.
[[nodiscard]] std::string escape_unit_instance(std::string_view name);

/// "evojail@NAME.service", NAME escaped.
[[nodiscard]] std::string service_unit(std::string_view name);

}  // namespace evojail
