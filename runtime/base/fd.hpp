#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace evojail {

/// Owns one file descriptor and closes it.
class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  /// Gives the descriptor up without closing it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

/// openat(2) with O_CLOEXEC always added. Use for host-owned paths; for anything below a tree that
/// a client owns use open_beneath().
[[nodiscard]] Result<Fd> open_at(int dir, const std::string& path, int flags, mode_t mode = 0);
[[nodiscard]] Result<Fd> open_path(const std::string& path, int flags, mode_t mode = 0);
[[nodiscard]] Result<Fd> open_directory(const std::string& path);

/// openat2(2) below `dir`: no way out of it, no symbolic link anywhere, no mount point crossed,
/// never blocking on a FIFO. A nested btrfs subvolume still passes RESOLVE_NO_XDEV: compare st_dev
/// where it matters.
[[nodiscard]] Result<Fd> open_beneath(int dir, const std::string& path, int flags, mode_t mode = 0);

/// A second descriptor for the same open file (F_DUPFD_CLOEXEC).
[[nodiscard]] Result<Fd> duplicate(int fd);

/// Everything up to the end of file, at most `limit` bytes: more is an error.
[[nodiscard]] Result<std::string> read_all(int fd, std::string_view name, std::size_t limit);
/// All of `bytes`, going on after short writes and EINTR.
[[nodiscard]] Result<void> write_all(int fd, std::string_view name, std::string_view bytes);

}  // namespace evojail
