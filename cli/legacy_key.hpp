#pragma once

#include <string>

#include "base/result.hpp"
#include "config/host_settings.hpp"

namespace evojail {

/// A jail whose settings say LEGACY_CLIENTS=yes gets an RSA host key where it has none yet. Its
/// other keys were made with it and stay for ever.
[[nodiscard]] Result<void> ensure_legacy_key(const HostSettings& host, const std::string& name);

}  // namespace evojail
