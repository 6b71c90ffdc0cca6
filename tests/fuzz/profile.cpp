#include "config/profile.hpp"

#include <algorithm>
#include <string>

#include "config/profile_text.hpp"
#include "fuzz.hpp"
#include "kernel/seccomp.hpp"

namespace {

bool shows_plainly(std::string_view text) {
  return std::ranges::none_of(text, [](unsigned char c) { return c < ' ' || c == '\x7f'; });
}

void check_group(const evojail::SyscallGroup& group) {
  using evojail::SeccompAction;
  using evojail::fuzz::require;
  require(!group.names.empty() && group.line > 0, "a group names calls and stands on a line");
  require(!group.comment.empty() && shows_plainly(group.comment), "a group has its reason");
  require(group.action != SeccompAction::error || (group.error >= 1 && group.error <= 4094),
          "a refusal has an errno");
  for (const auto& name : group.names) {
    require(!name.name.empty() && shows_plainly(name.name), "calls have names");
    require(name.line > 0, "names stand on lines");
  }
  for (const auto& argument : group.arguments) {
    require(argument.index < 6, "a call has six arguments");
    require(argument.op != evojail::SeccompOperator::masked_equal ||
                (argument.value_two & ~argument.value) == 0,
            "a masked comparison can match");
  }
}

}  // namespace

EVOJAIL_FUZZ(profile) {
  const auto profile = parse_profile(input, "p.json");
  if (!profile) {
    require(profile.error().message().starts_with("p.json:"), "an error says where");
    require(shows_plainly(profile.error().message()), "an error is one plain line");
    return;
  }
  require(profile->default_action != SeccompAction::allow &&
              profile->default_action != SeccompAction::log,
          "what is not named is denied");
  for (const SyscallGroup& group : profile->syscalls) check_group(group);
  const ProfileMounts& mounts = profile->mounts;
  require(mounts.base.readonly && mounts.base.nosuid && mounts.base.nodev,
          "the base image is inert");
  for (const MountFlags& flags : {mounts.data, mounts.var, mounts.tmp, mounts.run}) {
    require(flags.nosuid && flags.nodev && flags.noexec, "what clients write never runs");
  }
  require(!describe_profile(*profile).empty(), "a profile can be shown");
  if (const auto filter = compile_filter(*profile)) {
    require(!filter->program.empty() && filter->program.size() <= 4096, "a filter fits the kernel");
  }
}
