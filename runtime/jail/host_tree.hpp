#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace evojail {

/// What tells one version of an installed file from the next. A package manager puts a new file in
/// place of the old one, so the inode changes; size and time are compared as well for those who
/// write in place. The device number is left out: it may differ after each boot.
struct FileIdentity {
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_sec = 0;
  std::int64_t mtime_nsec = 0;

  bool operator==(const FileIdentity&) const = default;
};

/// A regular file of the host, open for reading.
struct HostFile {
  Fd fd;
  std::string real_path;  ///< within the tree, every symbolic link resolved
  FileIdentity identity;
  bool executable = false;
};

/// An open file as a HostFile; one that is not regular is an error that names `path`.
[[nodiscard]] Result<HostFile> look_at_file(Fd fd, std::string path);

/// The host's installed files below a root directory: "/" in earnest, another in tests and where a
/// system is mounted elsewhere. Symbolic links, absolute ones too, stay within it (openat2(2),
/// RESOLVE_IN_ROOT).
class HostTree {
 public:
  static Result<HostTree> open(const std::string& root);

  /// An Error with code ENOENT where there is none.
  [[nodiscard]] Result<HostFile> open_file(const std::string& path) const;
  /// Where a directory really lies, within the tree.
  [[nodiscard]] Result<std::string> real_directory(const std::string& path) const;
  /// Names in a directory, sorted, without "." and "..".
  [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) const;
  [[nodiscard]] bool is_directory(const std::string& path) const;
  /// A path within the tree as the whole system names it.
  [[nodiscard]] std::string outside(const std::string& path) const { return prefix_ + path; }

 private:
  HostTree(Fd root, std::string prefix) : root_(std::move(root)), prefix_(std::move(prefix)) {}
  [[nodiscard]] Result<Fd> open_in_root(const std::string& path, int flags) const;
  [[nodiscard]] Result<std::string> path_of(int fd, const std::string& asked) const;

  Fd root_;
  std::string prefix_;  ///< of the root, as the kernel names it; empty for "/"
};

/// The whole of an open host file.
[[nodiscard]] Result<std::string> read_host_file(const HostFile& file);

}  // namespace evojail
