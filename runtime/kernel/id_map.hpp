#pragma once

#include <cstdint>
#include <string>

namespace evojail {

/// The uid_map(5) of a jail whose range starts at `base`, in three extents, so that every uid a
/// real system uses survives a push: 0 to 65535 lie in the jail's own range; 65536 upwards are
/// labels that no host account has, shared by all jails; 4294967294, NFS's nobody, has a place of
/// its own. user_namespaces(7) allows up to 340 extents. Ids 2147483647 to 4294967293 have none.
[[nodiscard]] std::string uid_map_of(std::uint32_t base);

}  // namespace evojail
