#include "config/profile_text.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "config/profile_words.hpp"

namespace evojail {
namespace {

constexpr std::uint64_t kLow32 = 0xffffffff;

std::string_view sign(SeccompOperator op) {
  switch (op) {
    case SeccompOperator::not_equal:
      return "!=";
    case SeccompOperator::less:
      return "<";
    case SeccompOperator::less_equal:
      return "<=";
    case SeccompOperator::equal:
    case SeccompOperator::masked_equal:
      return "=";
    case SeccompOperator::greater_equal:
      return ">=";
    case SeccompOperator::greater:
      return ">";
  }
  return "?";
}

std::string answer(SeccompAction action, std::uint16_t error) {
  switch (action) {
    case SeccompAction::allow:
      return "allowed";
    case SeccompAction::error:
      return fmt::format("refused: {}", std::generic_category().message(error));
    case SeccompAction::kill_process:
      return "kills the process";
    case SeccompAction::trap:
      return "raises SIGSYS";
    case SeccompAction::log:
      return "allowed and logged";
  }
  return "?";
}

ProfileRow row_of(const SyscallGroup& group) {
  std::vector<std::string_view> names;
  for (const SyscallName& name : group.names) names.push_back(name.name);
  std::string rule = answer(group.action, group.error);
  std::string_view join = " where ";
  for (const SeccompArgument& argument : group.arguments) {
    rule += join;
    rule += describe_argument(argument);
    join = " and ";
  }
  return {fmt::to_string(fmt::join(names, ", ")), std::move(rule), group.comment};
}

std::string flags_of(const MountFlags& flags) {
  std::vector<std::string_view> words;
  for (const auto& [word, flag] : kMountFlags) {
    if (flags.*flag) words.push_back(word);
  }
  return fmt::to_string(fmt::join(words, ", "));
}

ProfileSection describe_processors(const Profile& profile) {
  ProfileSection section{"Processors", {}};
  for (const Architecture architecture : profile.architectures) {
    section.rows.push_back(
        {std::string(word_for(kArchitectures, architecture)), "compiled for", ""});
  }
  section.rows.push_back({"any other", "kills the process", ""});
  return section;
}

std::vector<ProfileSection> describe_calls(const Profile& profile) {
  ProfileSection allowed{"System calls: allowed", {}};
  ProfileSection refused{"System calls: refused", {}};
  for (const SyscallGroup& group : profile.syscalls) {
    const bool passes = group.action == SeccompAction::allow || group.action == SeccompAction::log;
    (passes ? allowed : refused).rows.push_back(row_of(group));
  }
  refused.rows.push_back({"all others", answer(profile.default_action, profile.default_error), ""});
  refused.rows.push_back({fmt::format("newer than {}", profile.newest_syscall.name),
                          answer(SeccompAction::error, ENOSYS), ""});
  return {std::move(allowed), std::move(refused)};
}

}  // namespace

std::string describe_argument(const SeccompArgument& argument) {
  if (argument.op != SeccompOperator::masked_equal) {
    return fmt::format("argument {} {} {:#x}", argument.index, sign(argument.op), argument.value);
  }
  if (argument.value == kLow32) {
    return fmt::format("argument {} = {:#x} (low 32 bits)", argument.index, argument.value_two);
  }
  return fmt::format("argument {} & {:#x} = {:#x}", argument.index, argument.value,
                     argument.value_two);
}

std::vector<ProfileSection> describe_profile(const Profile& profile) {
  std::vector<ProfileSection> sections = describe_calls(profile);
  sections.push_back(describe_processors(profile));

  ProfileSection capabilities{"Capabilities kept", {}};
  for (const ProfileCapability& capability : profile.capabilities) {
    capabilities.rows.push_back({capability.name, "kept", capability.comment});
  }
  sections.push_back(std::move(capabilities));

  ProfileSection programs{"Programs", {}};
  for (const ProfileProgram& program : profile.programs) {
    programs.rows.push_back({program.name, "may run", ""});
  }
  sections.push_back(std::move(programs));

  ProfileSection limits{"Limits", {}};
  for (const ProfileLimit& limit : profile.limits) {
    limits.rows.push_back({limit.name, fmt::format("at most {}", limit.value), limit.comment});
  }
  sections.push_back(std::move(limits));

  sections.push_back({"Mounts",
                      {{"base image", flags_of(profile.mounts.base), ""},
                       {"/data, /var/backup", flags_of(profile.mounts.data), ""},
                       {"/var", flags_of(profile.mounts.var), ""},
                       {"/tmp", flags_of(profile.mounts.tmp), ""},
                       {"/run", flags_of(profile.mounts.run), ""}}});
  return sections;
}

std::string_view to_string(Architecture architecture) {
  return architecture == Architecture::x86_64 ? "x86_64" : "aarch64";
}

}  // namespace evojail
