#include "jail/disk_mark.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>

#include "base/fd.hpp"

namespace evojail {

bool DiskMark::was_set_within(std::int64_t seconds, std::int64_t now) const {
  struct stat facts{};
  if (::stat(path_.c_str(), &facts) != 0) return false;
  const std::int64_t age = now - facts.st_mtim.tv_sec;
  return age >= 0 && age <= seconds;
}

bool DiskMark::explains(std::int64_t now) const { return was_set_within(holds, now); }

void DiskMark::set(std::int64_t now) {
  if (was_set_within(2 * holds, now)) return;
  const auto file = open_path(path_, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600);
  if (!file) return;
  const std::array<timespec, 2> times{timespec{.tv_sec = now, .tv_nsec = 0},
                                      timespec{.tv_sec = now, .tv_nsec = 0}};
  ::futimens(file->get(), times.data());
}

}  // namespace evojail
