#include "jail/disk_mark.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>

#include "base/fd.hpp"

namespace evojail {

std::optional<std::int64_t> DiskMark::age(std::int64_t now) const {
  struct stat facts{};
  if (::stat(path_.c_str(), &facts) != 0) return std::nullopt;
  return now - facts.st_mtim.tv_sec;
}

bool DiskMark::explains(std::int64_t now) const {
  const auto seconds = age(now);
  return seconds && *seconds >= 0 && *seconds <= holds;
}

void DiskMark::set(std::int64_t now) {
  if (const auto seconds = age(now); seconds && *seconds >= 0 && *seconds <= 2 * holds) return;
  const auto file = open_path(path_, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600);
  if (!file) return;
  const std::array<timespec, 2> times{timespec{.tv_sec = now, .tv_nsec = 0},
                                      timespec{.tv_sec = now, .tv_nsec = 0}};
  ::futimens(file->get(), times.data());
}

}  // namespace evojail
