#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "cli/command.hpp"
#include "service/service.hpp"

namespace evojail {

/// For an operation that has failed, and that a jail was stopped for, as stop_jail() says: starts
/// the jail again unless something of the operation was begun.
/// @return the operation's error.
[[nodiscard]] Error start_again(const Invocation& invocation, const std::string& name,
                                const std::optional<Stopped>& stopped, Error error);

}  // namespace evojail
