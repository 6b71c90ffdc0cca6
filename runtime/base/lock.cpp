#include "base/lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.hpp"
#include "base/parse.hpp"

namespace evojail {
namespace {

bool same_file(int fd, const std::string& path) {
  struct stat held{};
  struct stat named{};
  return ::fstat(fd, &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
         held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

/// "pid 4711 (evojail inc web1)", from the pid that the holder wrote into the file.
std::string holder(int fd) {
  auto text = read_all(fd, "lock", 32);
  const auto pid = text ? parse_number<int>(trim(*text), 1, 1 << 22) : std::nullopt;
  if (!pid) return "another process";
  auto words = read_file(fmt::format("/proc/{}/cmdline", *pid), 4096);
  if (!words || words->empty()) return fmt::format("pid {}", *pid);
  words->pop_back();
  std::ranges::replace(*words, '\0', ' ');
  return fmt::format("pid {} ({})", *pid, *words);
}

void write_holder(int fd) {
  const std::string pid = fmt::format("{}\n", ::getpid());
  // For people only: a lock whose file could not be written is as good.
  if (::ftruncate(fd, 0) == 0) [[maybe_unused]]
    const auto put = ::pwrite(fd, pid.data(), pid.size(), 0);
}

}  // namespace

Result<FileLock> FileLock::take(const std::string& path, Wait wait) {
  for (;;) {
    TRY(Fd fd, open_path(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
    while (::flock(fd.get(), LOCK_EX | (wait == Wait::no ? LOCK_NB : 0)) != 0) {
      if (errno == EINTR) continue;
      if (errno != EWOULDBLOCK) return fail_errno("locking", path);
      return fail(fmt::format("'{}' is held by {}", path, holder(fd.get())), ErrorKind::busy);
    }
    if (!same_file(fd.get(), path)) continue;
    write_holder(fd.get());
    return FileLock(path, std::move(fd));
  }
}

FileLock FileLock::adopt(std::string path, Fd fd) { return {std::move(path), std::move(fd)}; }

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  if (this != &other) {
    release();
    path_ = std::move(other.path_);
    fd_ = std::move(other.fd_);
  }
  return *this;
}

FileLock::~FileLock() { release(); }

void FileLock::release() noexcept {
  if (!fd_) return;
  if (same_file(fd_.get(), path_)) ::unlink(path_.c_str());
  fd_.reset();
}

}  // namespace evojail
