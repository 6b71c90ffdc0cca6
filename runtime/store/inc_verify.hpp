#pragma once

#include <string>

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "store/tree_verify.hpp"

namespace evojail {

/// Compares an inc with the manifest that was written when it was taken (verify_tree_inc()).
/// Manifests are kept of the newest two incs of the tree engine; an inc without one is an error
/// that says so. Takes no lock: an inc that is removed meanwhile is an error, not a difference.
[[nodiscard]] Result<VerifyOutcome> verify_inc(const HostSettings& host, const std::string& name,
                                               const std::string& inc,
                                               const VerifyOptions& options = {});

}  // namespace evojail
