#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace evojail {

/// An exclusive flock(2) on a file of its own, let go with the object or by the kernel when its
/// holder dies. The file is removed on release: whoever waited for it notices that the name moved
/// on and takes the new one, so nothing stays behind and no two holders ever meet.
class [[nodiscard]] FileLock {
 public:
  enum class Wait { no, yes };

  /// Takes the lock at `path`, whose directory exists. With Wait::no a held lock is an error that
  /// of ErrorKind::busy that names its holder: "'/run/…/web1.lock' is held by pid 4711 (evojail inc
  /// web1)".
  static Result<FileLock> take(const std::string& path, Wait wait);

  FileLock(FileLock&&) noexcept = default;
  FileLock& operator=(FileLock&& other) noexcept;
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

  /// The locked descriptor, for a process that hands the lock on across execve(2).
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// Takes back a lock handed on that way.
  static FileLock adopt(std::string path, Fd fd);

 private:
  FileLock(std::string path, Fd fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  void release() noexcept;

  std::string path_;
  Fd fd_;
};

}  // namespace evojail
