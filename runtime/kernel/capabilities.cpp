#include "kernel/capabilities.hpp"

#include <fmt/format.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include <algorithm>
#include <memory>

namespace evojail {
namespace {

struct FreeCapabilities {
  void operator()(cap_t set) const noexcept { cap_free(set); }
};
using CapabilityState = std::unique_ptr<std::remove_pointer_t<cap_t>, FreeCapabilities>;

std::string name_of(int capability) { return fmt::format("capability {}", capability); }

Result<void> drop_from_bounding_set(const Capabilities& kept) {
  for (int capability = 0;; ++capability) {
    const int present = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
    if (present < 0) return {};  // EINVAL: beyond the last one that this kernel has
    if (present == 0 || std::ranges::find(kept, capability) != kept.end()) continue;
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0) {
      return fail_errno("dropping from the bounding set", name_of(capability));
    }
  }
}

/// cap_set_proc(3) leaves out what was not permitted before: the kernel would refuse the whole set.
Result<void> shrink_process_sets(const Capabilities& kept) {
  const CapabilityState now(cap_get_proc());
  if (!now) return fail_errno("reading", "the capabilities of this process");
  const CapabilityState wanted(cap_init());
  if (!wanted) return fail_errno("preparing", "a capability set");
  for (const cap_value_t capability : kept) {
    cap_flag_value_t held = CAP_CLEAR;
    if (cap_get_flag(now.get(), capability, CAP_PERMITTED, &held) != 0) {
      return fail_errno("reading", name_of(capability));
    }
    if (held == CAP_CLEAR) continue;
    if (cap_set_flag(wanted.get(), CAP_PERMITTED, 1, &capability, CAP_SET) != 0 ||
        cap_set_flag(wanted.get(), CAP_EFFECTIVE, 1, &capability, CAP_SET) != 0) {
      return fail_errno("keeping", name_of(capability));
    }
  }
  if (cap_set_proc(wanted.get()) != 0)
    return fail_errno("setting", "the capabilities of this process");
  return {};
}

}  // namespace

Result<Capabilities> profile_capabilities(const Profile& profile) {
  Capabilities numbers;
  for (const ProfileCapability& capability : profile.capabilities) {
    cap_value_t number = 0;
    if (cap_from_name(capability.name.c_str(), &number) != 0) {
      return fail(fmt::format("{}:{}: unknown capability '{}'", profile.file, capability.line,
                              capability.name));
    }
    numbers.push_back(number);
  }
  return numbers;
}

Result<void> limit_capabilities(const Capabilities& kept) {
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    return fail_errno("clearing", "the ambient capabilities");
  }
  CHECK(drop_from_bounding_set(kept));
  return shrink_process_sets(kept);
}

Result<void> set_no_new_privs() {
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return fail_errno("setting", "no_new_privs");
  return {};
}

}  // namespace evojail
