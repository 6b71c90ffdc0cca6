#include "kernel/profile_check.hpp"

#include "kernel/capabilities.hpp"
#include "kernel/seccomp.hpp"

namespace evojail {

Result<std::vector<CompiledSize>> check_profile(const Profile& profile) {
  CHECK(profile_capabilities(profile));
  std::vector<CompiledSize> sizes;
  for (const Architecture architecture : profile.architectures) {
    CHECK(compile_filter(profile, {.notify_mknod = true, .architecture = architecture}));
    TRY(const Filter filter, compile_filter(profile, {.architecture = architecture}));
    sizes.push_back({architecture, filter.program.size()});
  }
  return sizes;
}

}  // namespace evojail
