#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/lock.hpp"
#include "base/result.hpp"
#include "config/host_settings.hpp"

namespace evojail {

/// Held from choosing or checking a port until the jail.conf that takes it is in place, so that two
/// commands at once never give out the same one. Waits for its turn.
[[nodiscard]] Result<FileLock> lock_ports(const HostSettings& host);

/// Every jail's port, and whose it is. A jail.conf that cannot be read or parsed is an error: its
/// port might be given away.
[[nodiscard]] Result<std::map<std::uint16_t, std::string>> used_ports(const HostSettings& host);

/// The port of a new jail, bkctld's `auto`: the one after the highest in use, 2222 for the first
/// jail; passing over ports on which this host listens. Behind 65535 the lowest that is free from
/// 2222 on.
[[nodiscard]] Result<std::uint16_t> choose_port(const HostSettings& host);

/// An error that names the jail which has the port, or says that the host itself listens on it. The
/// port that `name` has already is free to it.
[[nodiscard]] Result<void> check_port_free(const HostSettings& host, const std::string& name,
                                           std::uint16_t port);

}  // namespace evojail
