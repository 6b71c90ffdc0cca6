#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "kernel/seccomp.hpp"

namespace evojail {

/// A hard limit of every process of a session (getrlimit(2)).
struct ResourceLimit {
  std::int32_t resource = 0;
  std::uint64_t value = 0;

  bool operator==(const ResourceLimit&) const = default;
};

/// What holds for the sessions to come; a reload sends new ones to init, running sessions keep
/// theirs.
struct SessionRules {
  std::vector<ResourceLimit> limits;
  Filter filter;
};

[[nodiscard]] std::string encode(const SessionRules& rules);
[[nodiscard]] Result<SessionRules> decode_session_rules(std::string_view bytes);

}  // namespace evojail
