#pragma once

#include <sys/resource.h>

#include <array>
#include <string_view>

#include "config/profile.hpp"

namespace evojail {

/// A word of profile files and what it stands for.
template <class T>
struct Word {
  std::string_view text;
  T value;
};

inline constexpr std::array kArchitectures{
    Word<Architecture>{"SCMP_ARCH_X86_64", Architecture::x86_64},
    Word<Architecture>{"SCMP_ARCH_AARCH64", Architecture::aarch64},
};

inline constexpr std::array kActions{
    Word<SeccompAction>{"SCMP_ACT_ALLOW", SeccompAction::allow},
    Word<SeccompAction>{"SCMP_ACT_ERRNO", SeccompAction::error},
    Word<SeccompAction>{"SCMP_ACT_KILL_PROCESS", SeccompAction::kill_process},
    Word<SeccompAction>{"SCMP_ACT_TRAP", SeccompAction::trap},
    Word<SeccompAction>{"SCMP_ACT_LOG", SeccompAction::log},
};

/// An allow-list must deny what it does not name: these are not for "defaultAction".
inline constexpr std::array kDefaultActions{
    Word<SeccompAction>{"SCMP_ACT_ERRNO", SeccompAction::error},
    Word<SeccompAction>{"SCMP_ACT_KILL_PROCESS", SeccompAction::kill_process},
    Word<SeccompAction>{"SCMP_ACT_TRAP", SeccompAction::trap},
};

inline constexpr std::array kOperators{
    Word<SeccompOperator>{"SCMP_CMP_NE", SeccompOperator::not_equal},
    Word<SeccompOperator>{"SCMP_CMP_LT", SeccompOperator::less},
    Word<SeccompOperator>{"SCMP_CMP_LE", SeccompOperator::less_equal},
    Word<SeccompOperator>{"SCMP_CMP_EQ", SeccompOperator::equal},
    Word<SeccompOperator>{"SCMP_CMP_GE", SeccompOperator::greater_equal},
    Word<SeccompOperator>{"SCMP_CMP_GT", SeccompOperator::greater},
    Word<SeccompOperator>{"SCMP_CMP_MASKED_EQ", SeccompOperator::masked_equal},
};

inline constexpr std::array kLimits{
    Word<int>{"RLIMIT_AS", RLIMIT_AS},           Word<int>{"RLIMIT_CORE", RLIMIT_CORE},
    Word<int>{"RLIMIT_CPU", RLIMIT_CPU},         Word<int>{"RLIMIT_DATA", RLIMIT_DATA},
    Word<int>{"RLIMIT_FSIZE", RLIMIT_FSIZE},     Word<int>{"RLIMIT_LOCKS", RLIMIT_LOCKS},
    Word<int>{"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK}, Word<int>{"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    Word<int>{"RLIMIT_NICE", RLIMIT_NICE},       Word<int>{"RLIMIT_NOFILE", RLIMIT_NOFILE},
    Word<int>{"RLIMIT_NPROC", RLIMIT_NPROC},     Word<int>{"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    Word<int>{"RLIMIT_RTTIME", RLIMIT_RTTIME},   Word<int>{"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    Word<int>{"RLIMIT_STACK", RLIMIT_STACK},
};

inline constexpr std::array kMountFlags{
    Word<bool MountFlags::*>{"ro", &MountFlags::readonly},
    Word<bool MountFlags::*>{"nosuid", &MountFlags::nosuid},
    Word<bool MountFlags::*>{"nodev", &MountFlags::nodev},
    Word<bool MountFlags::*>{"noexec", &MountFlags::noexec},
    Word<bool MountFlags::*>{"nosymfollow", &MountFlags::nosymfollow},
    Word<bool MountFlags::*>{"noatime", &MountFlags::noatime},
};

/// The word for `value`, which is in the table.
template <class T, std::size_t N>
[[nodiscard]] constexpr std::string_view word_for(const std::array<Word<T>, N>& words, T value) {
  for (const Word<T>& word : words) {
    if (word.value == value) return word.text;
  }
  return {};
}

}  // namespace evojail
