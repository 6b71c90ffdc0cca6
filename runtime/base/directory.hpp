#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace evojail {

// For directories that the host owns. What a client owns is read by store/tree_directory.hpp.

/// The names in an open directory, sorted, without "." and "..". `path` is for messages.
[[nodiscard]] Result<std::vector<std::string>> list_directory(int dir, std::string_view path);

/// Opens the directory `name` of `parent`, never through a symbolic link.
[[nodiscard]] Result<Fd> open_subdir(int parent, const std::string& name, std::string_view path);

/// mkdirat(2) with exactly `mode`, whatever the umask; an existing directory is fine.
/// @return whether it was made.
[[nodiscard]] Result<bool> make_subdir(int parent, const std::string& name, mode_t mode,
                                       std::string_view path);

/// renameat2(2) with RENAME_NOREPLACE: an existing target is an error (EEXIST).
[[nodiscard]] Result<void> rename_new(int old_dir, const std::string& old_name, int new_dir,
                                      const std::string& new_name, std::string_view path);

/// Whether `dir` has an entry of that name, a dangling symbolic link included. One that cannot be
/// looked for counts as missing: not for deciding what is over and done with.
[[nodiscard]] bool entry_exists(int dir, const std::string& name);
/// The same, and an error where that cannot be told.
[[nodiscard]] Result<bool> has_entry(int dir, const std::string& name, std::string_view dir_path);

/// A file without a name on the directory's volume, to be read and written (O_TMPFILE, open(2)).
[[nodiscard]] Result<Fd> open_unnamed(int dir, std::string_view path);

/// unlinkat(2); no such file is no error.
[[nodiscard]] Result<void> unlink_file(int dir, const std::string& name, std::string_view path);

/// fsync(2) of a directory or file that is open.
[[nodiscard]] Result<void> sync_fd(int fd, std::string_view path);

/// Sixteen hexadecimal digits that nobody has used before.
[[nodiscard]] Result<std::string> random_token();

}  // namespace evojail
