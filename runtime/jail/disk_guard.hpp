#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace evojail {

/// Which sessions write to a volume whose free space has fallen below its reserve: those have to
/// end, so that the neighbours' incs still fit. Pure: counts come in as values.
class DiskGuard {
 public:
  /// What a session may receive between two looks without counting as a writer: a probe, a
  /// question.
  static constexpr std::uint64_t quiet_bytes = 64 << 10;

  /// @param received bytes each open session has received so far.
  /// @return the sessions to end now.
  std::set<std::uint32_t> look(bool low, const std::map<std::uint32_t, std::uint64_t>& received);

  /// Whether the volume was low at the last look.
  [[nodiscard]] bool low() const noexcept { return low_; }

 private:
  std::map<std::uint32_t, std::uint64_t> before_;
  bool low_ = false;
};

}  // namespace evojail
