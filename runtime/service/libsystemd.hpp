#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-journal.h>
#include <systemd/sd-login.h>

#include "base/result.hpp"

namespace evojail {

/// libsystemd's functions that evojail calls, under their own names. The library is loaded where it
/// is first asked for (dlopen(3)), as systemd's own programs load what they seldom need: it and
/// what it needs in turn would make up a sixth of every supervisor's memory, and none of those
/// calls it.
struct LibSystemd {
#define EVOJAIL_SYMBOL(name) decltype(&::name) name = nullptr;
#include "service/libsystemd_symbols.hpp"
#undef EVOJAIL_SYMBOL

  /// Once and for all. An error where it is not installed, or lacks a function.
  [[nodiscard]] static Result<void> load();
};

/// Only after LibSystemd::load().
[[nodiscard]] const LibSystemd& libsystemd() noexcept;

}  // namespace evojail
