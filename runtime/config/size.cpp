#include "config/size.hpp"

#include <fmt/format.h>

#include <limits>

#include "base/parse.hpp"

namespace evojail {
namespace {

constexpr std::string_view kUnits = "KMG";

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  unsigned shift = 0;
  if (!text.empty()) {
    const auto unit = kUnits.find(text.back());
    if (unit != std::string_view::npos) {
      shift = 10 * (static_cast<unsigned>(unit) + 1);
      text.remove_suffix(1);
    }
  }
  const std::uint64_t most = std::numeric_limits<std::uint64_t>::max() >> shift;
  const auto number = parse_number<std::uint64_t>(text, 0, most);
  if (!number) return std::nullopt;
  return *number << shift;
}

std::string format_size(std::uint64_t bytes) {
  for (unsigned unit = 3; unit > 0; --unit) {
    const unsigned shift = 10 * unit;
    if (bytes != 0 && (bytes >> shift) << shift == bytes) {
      return fmt::format("{}{}", bytes >> shift, kUnits[unit - 1]);
    }
  }
  return fmt::format("{}", bytes);
}

}  // namespace evojail
