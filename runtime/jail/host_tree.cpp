#include "jail/host_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <memory>

namespace evojail {
namespace {

/// The largest program or library that is believed: libcrypto has 5 MB, a static Go program 100.
constexpr std::uint64_t max_file = 256ULL << 20;

Result<std::string> kernel_path(int fd, const std::string& asked) {
  std::array<char, PATH_MAX> buffer{};
  const std::string link = fmt::format("/proc/self/fd/{}", fd);
  const ssize_t length = ::readlink(link.c_str(), buffer.data(), buffer.size());
  if (length < 0) return fail_errno("finding the real path of", asked);
  return std::string(buffer.data(), static_cast<std::size_t>(length));
}

}  // namespace

Result<HostFile> look_at_file(Fd fd, std::string path) {
  struct stat st{};
  if (::fstat(fd.get(), &st) != 0) return fail_errno("looking at", path);
  if (!S_ISREG(st.st_mode)) return fail(fmt::format("'{}' is not a regular file", path));
  return HostFile{.fd = std::move(fd),
                  .real_path = std::move(path),
                  .identity = {.inode = st.st_ino,
                               .size = static_cast<std::uint64_t>(st.st_size),
                               .mtime_sec = st.st_mtim.tv_sec,
                               .mtime_nsec = st.st_mtim.tv_nsec},
                  .executable = (st.st_mode & S_IXUSR) != 0};
}

Result<HostTree> HostTree::open(const std::string& root) {
  TRY(Fd fd, open_path(root, O_PATH | O_DIRECTORY));
  TRY(std::string prefix, kernel_path(fd.get(), root));
  if (prefix == "/") prefix.clear();
  return HostTree(std::move(fd), std::move(prefix));
}

Result<Fd> HostTree::open_in_root(const std::string& path, int flags) const {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: a rename elsewhere raced with the walk (openat2(2)).
  for (int tries = 0; tries < 64; ++tries) {
    const long fd = ::syscall(SYS_openat2, root_.get(), path.c_str(), &how, sizeof how);
    if (fd >= 0) return Fd(static_cast<int>(fd));
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return fail_errno("opening", prefix_ + path);
}

Result<std::string> HostTree::path_of(int fd, const std::string& asked) const {
  TRY(const std::string path, kernel_path(fd, asked));
  if (!path.starts_with(prefix_)) return fail(fmt::format("'{}' left its root", asked));
  return path.substr(prefix_.size());
}

Result<HostFile> HostTree::open_file(const std::string& path) const {
  TRY(Fd fd, open_in_root(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  TRY(std::string real, path_of(fd.get(), path));
  return look_at_file(std::move(fd), std::move(real));
}

Result<std::string> HostTree::real_directory(const std::string& path) const {
  TRY(const Fd fd, open_in_root(path, O_PATH | O_DIRECTORY));
  return path_of(fd.get(), path);
}

bool HostTree::is_directory(const std::string& path) const {
  return open_in_root(path, O_PATH | O_DIRECTORY).has_value();
}

Result<std::vector<std::string>> HostTree::list(const std::string& path) const {
  TRY(Fd fd, open_in_root(path, O_RDONLY | O_DIRECTORY));
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(fd.get()), ::closedir);
  if (!dir) return fail_errno("listing", prefix_ + path);
  [[maybe_unused]] const int owned = fd.release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return fail_errno("listing", prefix_ + path);
  std::ranges::sort(names);
  return names;
}

Result<std::string> read_host_file(const HostFile& file) {
  if (file.identity.size > max_file) {
    return fail(fmt::format("'{}' is larger than {} bytes", file.real_path, max_file));
  }
  std::string bytes(file.identity.size, '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got =
        ::pread(file.fd.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("reading", file.real_path);
    if (got == 0) return fail(fmt::format("'{}' shrank while it was read", file.real_path));
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace evojail
