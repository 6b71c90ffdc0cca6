#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "monitor/jail_status.hpp"

namespace evojail {

/// A row a jail: bkctld's columns (name, ON or OFF, port, lines of the incs policy that count days
/// and months, addresses), then sessions, incs and the newest of them.
[[nodiscard]] std::string status_table(const std::vector<JailStatus>& jails, bool with_header,
                                       bool with_colour);

/// What else is known of one jail, a line a fact.
[[nodiscard]] std::string status_details(const JailStatus& jail, std::int64_t now);

}  // namespace evojail
