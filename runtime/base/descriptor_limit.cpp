#include "base/descriptor_limit.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace evojail {

std::size_t raise_descriptor_limit(std::size_t most) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = std::max<rlim_t>(before, std::min<rlim_t>(limit.rlim_max, most));
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return before;
  return limit.rlim_cur;
}

}  // namespace evojail
