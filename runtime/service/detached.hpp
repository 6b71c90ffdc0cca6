#pragma once

#include <string>

#include "base/result.hpp"
#include "service/service.hpp"

namespace evojail {

/// Starts `evojail run NAME` as a process of its own session, with LOGDIR/NAME.log for its words,
/// and waits until it says that it is ready (sd_notify(3)) or why it cannot be.
[[nodiscard]] Result<void> start_detached(const ServiceHost& service, const std::string& name);

}  // namespace evojail
