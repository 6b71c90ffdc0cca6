#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/profile.hpp"
#include "jail/session_rules.hpp"
#include "kernel/capabilities.hpp"
#include "kernel/seccomp.hpp"

namespace evojail {

/// A profile in the words of this machine's kernel: all that a jail needs of it.
struct CompiledProfile {
  Capabilities capabilities;          ///< what init and its sessions keep
  std::vector<std::string> programs;  ///< of the base image, by their file names
  std::vector<ResourceLimit> limits;
  ProfileMounts mounts;
  Filter session_filter;
  Filter mknod_filter;  ///< for init itself, see mknod_notify_filter()

  bool operator==(const CompiledProfile&) const = default;
};

/// What does not exist on this machine is an error with the profile's file and line.
[[nodiscard]] Result<CompiledProfile> compile_profile(const Profile& profile);

/// What a profile was compiled from.
struct ProfileSource {
  std::string code;  ///< what compiled it, see loaded_code(), and on which kernel
  std::string text;  ///< the profile's, to the last byte
};

/// `text` as this process compiles it; nothing where it is not known what runs in it.
[[nodiscard]] std::optional<ProfileSource> profile_source(const std::string& text);

[[nodiscard]] std::string encode(const ProfileSource& source, const CompiledProfile& compiled);
/// Nothing unless encode() wrote these bytes, all of them, of this very source.
[[nodiscard]] std::optional<CompiledProfile> decode_compiled_profile(std::string_view bytes,
                                                                     const ProfileSource& source);

/// The profile in `file`, compiled. Reading and compiling one takes a third of a jail's start, so
/// that what comes of it stays in `kept`, for the next start; that file counts only where it is the
/// caller's own, nobody else's to read or write, and of the same profile and code.
[[nodiscard]] Result<CompiledProfile> load_compiled_profile(const std::string& file,
                                                            const std::string& kept);

}  // namespace evojail
