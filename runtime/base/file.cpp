#include "base/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>

#include "base/fd.hpp"

namespace evojail {
namespace {

std::string parent_of(const std::string& path) {
  const auto slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> fill(int fd, const std::string& path, std::string_view bytes, mode_t mode, bool sync) {
  CHECK(write_all(fd, path, bytes));
  if (::fchmod(fd, mode) != 0) return fail_errno("setting the mode of", path);
  if (sync && ::fsync(fd) != 0) return fail_errno("syncing", path);
  return {};
}

Result<void> replace(const std::string& path, std::string_view bytes, mode_t mode, bool sync) {
  const std::string parent = parent_of(path);
  TRY(const Fd dir, open_directory(parent));
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random) {
    return fail_errno("naming a temporary file beside", path);
  }
  const std::string temporary = fmt::format("{}.{:016x}", path, random);
  TRY(const Fd file, open_path(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  Result<void> done = fill(file.get(), path, bytes, mode, sync);
  if (done && ::rename(temporary.c_str(), path.c_str()) != 0) done = fail_errno("replacing", path);
  if (!done) {
    ::unlink(temporary.c_str());
    return done;
  }
  if (sync && ::fsync(dir.get()) != 0) return fail_errno("syncing", parent);
  return {};
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  TRY(const Fd fd, open_path(path, O_RDONLY));
  return read_all(fd.get(), path, limit);
}

Result<void> replace_file(const std::string& path, std::string_view bytes, mode_t mode) {
  return replace(path, bytes, mode, true);
}

Result<void> replace_file_unsynced(const std::string& path, std::string_view bytes, mode_t mode) {
  return replace(path, bytes, mode, false);
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (::mkdir(parent.c_str(), 0755) != 0 && errno != EEXIST) {
      return fail_errno("making directory", parent);
    }
  }
  if (::mkdir(path.c_str(), mode) == 0) return {};
  if (errno != EEXIST) return fail_errno("making directory", path);
  struct stat st{};
  if (::stat(path.c_str(), &st) != 0) return fail_errno("looking at", path);
  if (!S_ISDIR(st.st_mode)) return fail_errno("making directory", path, ENOTDIR);
  return {};
}

bool path_exists(const std::string& path) { return has_path(path).value_or(false); }

Result<bool> has_path(const std::string& path) {
  struct stat st{};
  if (::lstat(path.c_str(), &st) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return fail_errno("looking for", path);
}

}  // namespace evojail
