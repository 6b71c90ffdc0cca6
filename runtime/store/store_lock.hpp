#pragma once

#include <string>

#include "base/lock.hpp"
#include "base/result.hpp"
#include "config/host_settings.hpp"

namespace evojail {

/// The one lock of a jail for inc, rm, remove, rename, archive and holds (JailPaths::store_lock).
/// RUNDIR is made where it is missing. A held lock is an error that says who holds it, unless
/// `wait` is yes.
[[nodiscard]] Result<FileLock> lock_store(const HostSettings& host, const std::string& name,
                                          FileLock::Wait wait = FileLock::Wait::no);

/// The lock that a running jail's supervisor holds (JailPaths::run_lock), for those who move or
/// delete the jail: a running jail is an error that says so.
[[nodiscard]] Result<FileLock> lock_stopped(const HostSettings& host, const std::string& name);

/// Held while a jail's settings or keys are read, changed and replaced, so that no change is lost.
/// Waits for its turn, which is short.
[[nodiscard]] Result<FileLock> lock_settings(const HostSettings& host, const std::string& name);

}  // namespace evojail
