#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/layout.hpp"

namespace evojail {

/// The directories of the host below which a device node that a client pushed comes to lie: the
/// jail's own, and where incs and archives copy it to.
[[nodiscard]] std::vector<std::string> device_places(const HostSettings& host,
                                                     const JailPaths& paths);

/// The first of `places` whose mount is not nodev, so that a node below it would be a device to the
/// host; empty where they all are. nodev is a property of each mount (mount(8)), and a mount can be
/// changed at any time.
[[nodiscard]] Result<std::string> first_without_nodev(const std::vector<std::string>& places);

}  // namespace evojail
