#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "config/profile.hpp"

namespace evojail {

/// A detached copy of the mount at `directory` of `dir`, that subtree alone, private, with `flags`,
/// and with the ids of `user_namespace` where one is given (an idmapped mount: Linux 5.12;
/// btrfs 5.15; tmpfs only from 6.3). `name` is for errors.
[[nodiscard]] Result<Fd> clone_mount(int directory, std::string_view name, const MountFlags& flags,
                                     std::optional<int> user_namespace);

/// A new instance of a file system (tmpfs, proc, devpts) as a detached mount. An option without a
/// value is given as "".
[[nodiscard]] Result<Fd> new_mount(
    const std::string& type, const MountFlags& flags,
    std::initializer_list<std::pair<std::string, std::string>> options);

/// Puts a detached mount over the directory `target`. By descriptor, so that no path is walked
/// again.
[[nodiscard]] Result<void> attach_mount(int mount, int target, std::string_view name);

/// Makes a mounted file system's mount read-only afterwards.
[[nodiscard]] Result<void> make_read_only(int mount, std::string_view name);

/// Cuts every mount of this mount namespace off from the one it was copied from.
[[nodiscard]] Result<void> make_mounts_private();

/// pivot_root(2) into `root`, a directory that is a mount, and lets the old tree go.
[[nodiscard]] Result<void> pivot_into(int root);

}  // namespace evojail
