#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "config/host_settings.hpp"

namespace evojail {

/// The host uids and gids of one jail: root in the jail is `base()`, the jail's ids 0 to 65535
/// follow it, and NFS's nobody (4294967294) is base() + 65536.
struct UidRange {
  std::uint32_t index = 0;  ///< 0 to uid_range_count - 1
  [[nodiscard]] std::uint32_t base() const noexcept { return 0x70000000U + index * 0x20000U; }
  friend bool operator==(const UidRange&, const UidRange&) = default;
};

/// 0x70000000 + 2047 * 0x20000 = 0x7FFE0000: every range ends below 2^31.
inline constexpr std::uint32_t uid_range_count = 2047;

/// The range that the jail holds, leased to it now if it held none. No two jails ever hold the
/// same. Who holds what is in DATADIR/uid-ranges/leases; a jail keeps its range until it is
/// removed, and where all are taken, ranges of jails that are gone are given away. Data on disk
/// does not depend on it (true owners), so the file may be lost while no jail runs.
[[nodiscard]] Result<UidRange> lease_uid_range(const HostSettings& host, const std::string& name);

/// The range that the jail holds, if any.
[[nodiscard]] Result<std::optional<UidRange>> find_uid_range(const HostSettings& host,
                                                             const std::string& name);

/// Gives the jail's range back; none held is no error.
[[nodiscard]] Result<void> release_uid_range(const HostSettings& host, const std::string& name);

/// Hands the range on to the jail's new name; none held is no error.
[[nodiscard]] Result<void> rename_uid_range(const HostSettings& host, const std::string& old_name,
                                            const std::string& new_name);

}  // namespace evojail
