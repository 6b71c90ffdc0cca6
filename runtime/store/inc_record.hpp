#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace evojail {

/// What is known of one inc, written when it was taken. Kept in INCDIR/NAME/.meta/incs under the
/// inc's identity, so that it follows an inc that people rename.
struct IncRecord {
  std::string identity;               ///< Engine::identify() of the inc
  std::string inc;                    ///< the name it was taken under
  std::string engine;                 ///< "btrfs" or "tree"
  std::int64_t began = 0;             ///< seconds since the epoch
  std::optional<std::int64_t> ended;  ///< unknown where the taking was cut short and finished later
  std::vector<std::string> sessions;  ///< open while it was taken, as the caller names them
  bool partial = false;               ///< a push was in flight, or something could not be copied
  bool push_in_flight = false;        ///< while it was taken
  std::vector<std::string> troubles;  ///< what could not be copied, for people; bounded
  std::optional<std::uint64_t> entries;       ///< files, directories and others
  std::optional<std::uint64_t> linked;        ///< entries linked to the inc before
  std::optional<std::uint64_t> copied_bytes;  ///< bytes copied anew
  /// Bytes read to find that they are those of the inc before: no stamp proved it.
  std::optional<std::uint64_t> compared_bytes{};

  bool operator==(const IncRecord&) const = default;
};

/// One line of JSON, `schema_version` first.
[[nodiscard]] std::string format_inc_record(const IncRecord& record);
[[nodiscard]] Result<IncRecord> parse_inc_record(const std::string& text, const std::string& file);

}  // namespace evojail
