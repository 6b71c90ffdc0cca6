#include "base/directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>

namespace evojail {

Result<std::vector<std::string>> list_directory(int dir, std::string_view path) {
  // A descriptor of its own: fdopendir takes it over, and the offset of `dir` stays where it is.
  TRY(Fd own, open_at(dir, ".", O_RDONLY | O_DIRECTORY));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own.get()), ::closedir);
  if (!stream) return fail_errno("reading directory", path);
  static_cast<void>(own.release());
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return fail_errno("reading directory", path);
  std::ranges::sort(names);
  return names;
}

Result<Fd> open_subdir(int parent, const std::string& name, std::string_view path) {
  const int fd = ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return fail_errno("opening", path);
  return Fd(fd);
}

Result<bool> make_subdir(int parent, const std::string& name, mode_t mode, std::string_view path) {
  if (::mkdirat(parent, name.c_str(), mode) != 0) {
    if (errno == EEXIST) return false;
    return fail_errno("making directory", path);
  }
  // The umask may have taken bits away.
  if (::fchmodat(parent, name.c_str(), mode, 0) != 0) {
    return fail_errno("setting the mode of", path);
  }
  return true;
}

Result<void> rename_new(int old_dir, const std::string& old_name, int new_dir,
                        const std::string& new_name, std::string_view path) {
  if (::renameat2(old_dir, old_name.c_str(), new_dir, new_name.c_str(), RENAME_NOREPLACE) != 0) {
    return fail_errno("renaming", path);
  }
  return {};
}

bool entry_exists(int dir, const std::string& name) {
  struct stat st{};
  return ::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<bool> has_entry(int dir, const std::string& name, std::string_view dir_path) {
  struct stat st{};
  if (::fstatat(dir, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  return fail_errno("looking for", fmt::format("{}/{}", dir_path, name));
}

Result<Fd> open_unnamed(int dir, std::string_view path) {
  Fd file(::openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!file) return fail_errno("making a file without a name in", path);
  return file;
}

Result<void> unlink_file(int dir, const std::string& name, std::string_view path) {
  if (::unlinkat(dir, name.c_str(), 0) != 0 && errno != ENOENT) {
    return fail_errno("removing", path);
  }
  return {};
}

Result<void> sync_fd(int fd, std::string_view path) {
  if (::fsync(fd) != 0) return fail_errno("syncing", path);
  return {};
}

Result<std::string> random_token() {
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random) {
    return fail_errno("asking for random bytes from", "getrandom");
  }
  return fmt::format("{:016x}", random);
}

}  // namespace evojail
