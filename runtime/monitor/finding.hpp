#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace evojail {

/// One thing that `check-setup` looked at.
struct Finding {
  enum class Level : std::uint8_t {
    good,
    note,     ///< works, but not as well as it could
    missing,  ///< jails cannot start or are not safe until it is mended
  };
  std::string subject;  ///< "kernel", "volume"
  Level level = Level::good;
  std::string text;  ///< a sentence
  std::string cure;  ///< what to do; empty for Level::good
};
using Findings = std::vector<Finding>;

[[nodiscard]] Finding good(std::string subject, std::string text);
[[nodiscard]] Finding note(std::string subject, std::string text, std::string cure);
[[nodiscard]] Finding missing(std::string subject, std::string text, std::string cure);
/// An error as a finding; its hint is the cure.
[[nodiscard]] Finding missing(std::string subject, const Error& error);

}  // namespace evojail
