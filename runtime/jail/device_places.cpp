#include "jail/device_places.hpp"

#include <sys/statvfs.h>

namespace evojail {

std::vector<std::string> device_places(const HostSettings& host, const JailPaths& paths) {
  return {paths.data, paths.var, host.jaildir, host.incdir, host.archivesdir};
}

Result<std::string> first_without_nodev(const std::vector<std::string>& places) {
  for (const auto& place : places) {
    struct statvfs facts{};
    if (::statvfs(place.c_str(), &facts) != 0) return fail_errno("looking at the mount of", place);
    if ((facts.f_flag & ST_NODEV) == 0) return place;
  }
  return std::string();
}

}  // namespace evojail
