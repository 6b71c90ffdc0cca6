#include "store/store_lock.hpp"

#include <fmt/format.h>

#include "config/layout.hpp"
#include "store/host_check.hpp"

namespace evojail {

Result<FileLock> lock_store(const HostSettings& host, const std::string& name,
                            FileLock::Wait wait) {
  CHECK(make_run_dirs(host));
  auto lock = FileLock::take(JailPaths(host, name).store_lock, wait);
  if (!lock && lock.error().kind() == ErrorKind::busy) {
    return std::unexpected(std::move(lock).error().in(
        fmt::format("jail '{}': another inc, rm, remove, rename or archive is at work", name)));
  }
  return lock;
}

Result<FileLock> lock_stopped(const HostSettings& host, const std::string& name) {
  CHECK(make_run_dirs(host));
  auto lock = FileLock::take(JailPaths(host, name).run_lock, FileLock::Wait::no);
  if (!lock && lock.error().kind() == ErrorKind::busy) {
    return std::unexpected(std::move(lock)
                               .error()
                               .in(fmt::format("jail '{}' is running", name))
                               .hint(fmt::format("stop it first: evojail stop {}", name)));
  }
  return lock;
}

Result<FileLock> lock_settings(const HostSettings& host, const std::string& name) {
  CHECK(make_run_dirs(host));
  return FileLock::take(host.rundir + "/.lock/" + name + ".settings", FileLock::Wait::yes);
}

}  // namespace evojail
