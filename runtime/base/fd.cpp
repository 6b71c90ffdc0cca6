#include "base/fd.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

namespace evojail {

void Fd::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<Fd> open_at(int dir, const std::string& path, int flags, mode_t mode) {
  const int fd = ::openat(dir, path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) return fail_errno((flags & O_CREAT) != 0 ? "creating" : "opening", path);
  return Fd(fd);
}

Result<Fd> open_path(const std::string& path, int flags, mode_t mode) {
  return open_at(AT_FDCWD, path, flags, mode);
}

Result<Fd> open_directory(const std::string& path) {
  return open_path(path, O_RDONLY | O_DIRECTORY);
}

Result<Fd> open_beneath(int dir, const std::string& path, int flags, mode_t mode) {
  open_how how{};
  // O_PATH takes none of the flags that speak of opening for I/O: openat2 is strict about it.
  const int careful = (flags & O_PATH) != 0 ? O_NOFOLLOW : O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC | careful);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  // EAGAIN: a rename or mount elsewhere raced with the walk (openat2(2)); it is always safe to
  // retry.
  for (int tries = 0; tries < 64; ++tries) {
    const long fd = ::syscall(SYS_openat2, dir, path.c_str(), &how, sizeof how);
    if (fd >= 0) return Fd(static_cast<int>(fd));
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return fail_errno((flags & O_CREAT) != 0 ? "creating" : "opening", path);
}

Result<Fd> duplicate(int fd) {
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return fail_errno("duplicating", fmt::format("descriptor {}", fd));
  return Fd(copy);
}

Result<std::string> read_all(int fd, std::string_view name, std::size_t limit) {
  std::string text;
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got == 0) return text;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("reading", name);
    if (text.size() + static_cast<std::size_t>(got) > limit) {
      return fail(fmt::format("reading '{}': larger than {} bytes", name, limit));
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

Result<void> write_all(int fd, std::string_view name, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("writing", name);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

}  // namespace evojail
