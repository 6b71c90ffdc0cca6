#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace evojail {

/// A processor that profiles are compiled for (SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64). Calls that
/// arrive through any other ABI, i386's and x32's included, kill the process.
enum class Architecture : std::uint8_t { x86_64, aarch64 };

/// What happens to a system call (SCMP_ACT_*, seccomp(2)).
enum class SeccompAction : std::uint8_t { allow, error, kill_process, trap, log };

/// How an argument is compared (SCMP_CMP_*, seccomp_rule_add(3)). Arguments are 64 bits wide; where
/// the kernel reads 32 of them, only masked_equal with 0xffffffff cannot be misled by the upper
/// half.
enum class SeccompOperator : std::uint8_t {
  not_equal,
  less,
  less_equal,
  equal,
  greater_equal,
  greater,
  masked_equal,  ///< argument & value == value_two
};

/// A condition on one argument.
struct SeccompArgument {
  unsigned index = 0;  ///< 0 to 5
  SeccompOperator op = SeccompOperator::equal;
  std::uint64_t value = 0;
  std::uint64_t value_two = 0;

  bool operator==(const SeccompArgument&) const = default;
};

/// A system call as the profile names it, and on which line.
struct SyscallName {
  std::string name;
  unsigned line = 0;
};

/// One element of "syscalls": these calls, where all conditions hold, get this action.
struct SyscallGroup {
  std::vector<SyscallName> names;
  SeccompAction action = SeccompAction::error;
  std::uint16_t error = 1;  ///< the errno of SeccompAction::error, 1 to 4094
  std::vector<SeccompArgument> arguments;
  std::string comment;  ///< the reason, one line
  unsigned line = 0;
};

/// A member of the capability bounding set of sessions.
struct ProfileCapability {
  std::string name;  ///< as in capabilities(7): CAP_CHOWN
  std::string comment;
  unsigned line = 0;
};

/// A program of the base image that sessions may run, by its file name.
struct ProfileProgram {
  std::string name;
  unsigned line = 0;
};

/// A hard limit of every process of a session (getrlimit(2)); jail.conf may lower it, never raise
/// it.
struct ProfileLimit {
  std::string name;  ///< RLIMIT_CORE
  int resource = 0;  ///< its number on this machine
  std::uint64_t value = 0;
  std::string comment;
};

/// Flags of one of the jail's mounts (mount_setattr(2)).
struct MountFlags {
  bool readonly = false;
  bool nosuid = false;
  bool nodev = false;
  bool noexec = false;
  bool nosymfollow = false;
  bool noatime = false;

  bool operator==(const MountFlags&) const = default;
};

/// The jail's mounts that a profile sets flags of.
struct ProfileMounts {
  MountFlags base;  ///< the base image; at least ro, nosuid, nodev
  MountFlags data;  ///< /data and /var/backup; at least nosuid, nodev, noexec
  MountFlags var;   ///< /var; likewise
  MountFlags tmp;   ///< /tmp; likewise
  MountFlags run;   ///< /run; likewise

  bool operator==(const ProfileMounts&) const = default;
};

/// A named set of isolation rules, validated as far as that needs no kernel: whether system calls
/// and capabilities exist is for compile_filter() and parse_capabilities() to say.
struct Profile {
  std::string file;  ///< where it was read, for messages
  std::string description;
  SeccompAction default_action = SeccompAction::error;  ///< never allow or log
  std::uint16_t default_error = 1;
  std::vector<Architecture> architectures;
  /// The newest call the profile knows; every number above it is answered with ENOSYS, as by a
  /// kernel that lacks the call, so that programs fall back.
  SyscallName newest_syscall;
  std::vector<SyscallGroup> syscalls;
  std::vector<ProfileCapability> capabilities;
  std::vector<ProfileProgram> programs;
  std::vector<ProfileLimit> limits;
  ProfileMounts mounts;
};

/// Parses a profile: the seccomp object of the OCI runtime specification, with "comment" in each
/// group and the members of Profile beside "syscalls". Malformed JSON, an unknown or repeated
/// member, a bad value, a group without a comment, a call named without conditions and again
/// elsewhere: an error with `file`, the line and the JSON pointer.
[[nodiscard]] Result<Profile> parse_profile(std::string_view text, std::string_view file);

}  // namespace evojail
