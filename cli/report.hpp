#pragma once

#include "base/result.hpp"

namespace evojail {

/// Prints the error. @return its exit code.
int report(const Error& error);

/// Prints the error of a command that failed. @return the exit code.
int report(const Result<void>& result);

}  // namespace evojail
