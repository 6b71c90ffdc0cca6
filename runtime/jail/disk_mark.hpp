#pragma once

#include <cstdint>
#include <string>

namespace evojail {

/// Says to the supervisors of all jails that one of them has ended a session for DISK_RESERVE: what
/// that session wrote may still be on its way to the disk, so that a volume that goes on falling is
/// nobody's fault for a while.
///
/// A mark that is set again and again would hide a writer whom no count shows, behind sessions that
/// are ended in its stead. So one holds for `holds`, and for as long after that no other does.
class DiskMark {
 public:
  /// Seconds. The kernel writes a page after at most half a minute (vm.dirty_expire_centisecs).
  static constexpr std::int64_t holds = 35;

  /// @param path of the file whose modification time is the mark.
  explicit DiskMark(std::string path) : path_(std::move(path)) {}

  /// @param now seconds since 1970, as in set().
  [[nodiscard]] bool explains(std::int64_t now) const;

  /// A session has been ended. A mark that holds, or has held a short while ago, stays as it is.
  void set(std::int64_t now);

 private:
  /// No: also where the clock has been set back behind it.
  [[nodiscard]] bool was_set_within(std::int64_t seconds, std::int64_t now) const;

  std::string path_;
};

}  // namespace evojail
