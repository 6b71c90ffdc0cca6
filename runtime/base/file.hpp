#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace evojail {

/// A whole host-owned file, at most `limit` bytes.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t limit = 1 << 20);

/// Puts `bytes` in place of `path` so that a reader, or a power cut, sees the old file or the new
/// one: a temporary file beside it, fsync, rename, fsync of the directory. Never through a symbolic
/// link.
[[nodiscard]] Result<void> replace_file(const std::string& path, std::string_view bytes,
                                        mode_t mode);

/// The same for who reads it now, without waiting for a disk: after a power cut the file may be the
/// old one, the new one, or empty.
[[nodiscard]] Result<void> replace_file_unsynced(const std::string& path, std::string_view bytes,
                                                 mode_t mode);

/// mkdir(2) of every missing component; an existing directory is fine. The last component is made
/// with `mode`, missing parents with 0755.
[[nodiscard]] Result<void> make_directories(const std::string& path, mode_t mode);

/// Whether something, of any kind, has this name; a dangling symbolic link counts. One that cannot
/// be looked for counts as missing: not for deciding what is over and done with.
[[nodiscard]] bool path_exists(const std::string& path);
/// The same, and an error where that cannot be told.
[[nodiscard]] Result<bool> has_path(const std::string& path);

}  // namespace evojail
