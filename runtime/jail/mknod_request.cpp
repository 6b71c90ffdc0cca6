#include "jail/mknod_request.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "base/parse.hpp"

namespace evojail {
namespace {

/// One read of at most PATH_MAX bytes from the caller's memory, page by page, since what follows
/// the string need not be mapped.
Result<std::string> read_path(const std::string& proc, std::uint64_t address) {
  TRY(const Fd memory, open_path(proc + "/mem", O_RDONLY));
  constexpr std::uint64_t page = 4096;
  std::string path;
  std::array<char, page> buffer{};
  while (path.size() < PATH_MAX) {
    const std::uint64_t here = address + path.size();
    const std::size_t wanted = page - here % page;
    const ssize_t got = ::pread(memory.get(), buffer.data(), wanted, static_cast<off_t>(here));
    if (got <= 0) return fail_errno("reading", "the path", EFAULT);
    const std::string_view chunk(buffer.data(), static_cast<std::size_t>(got));
    const auto end = chunk.find('\0');
    path.append(chunk.substr(0, end));
    if (end != std::string_view::npos) {
      if (path.empty()) return fail_errno("reading", "the path", ENOENT);
      return path;
    }
  }
  return fail_errno("reading", "the path", ENAMETOOLONG);
}

Result<Fd> open_start(const std::string& proc, int directory, bool absolute) {
  std::string link = proc + "/cwd";
  if (absolute) {
    link = proc + "/root";
  } else if (directory != AT_FDCWD) {
    if (directory < 0) return fail_errno("opening", "the directory", EBADF);
    link = fmt::format("{}/fd/{}", proc, directory);
  }
  auto start = open_path(link, O_PATH | O_DIRECTORY);
  if (!start && directory != AT_FDCWD && start.error().code() == ENOENT) {
    return fail_errno("opening", "the directory", EBADF);
  }
  return start;
}

/// A number of the line "NAME:\t..." of a status file, the n-th word.
std::optional<std::uint32_t> status_word(std::string_view text, std::string_view name,
                                         std::size_t n, int base = 10) {
  for (const auto line : split_lines(text)) {
    if (!line.starts_with(name)) continue;
    const auto words = split_words(line.substr(name.size()));
    if (words.size() <= n) return std::nullopt;
    std::uint32_t value = 0;
    const auto* const last = words[n].data() + words[n].size();
    const auto [end, code] = std::from_chars(words[n].data(), last, value, base);
    if (code != std::errc{} || end != last) return std::nullopt;
    return value;
  }
  return std::nullopt;
}

}  // namespace

Result<CallerStatus> parse_caller_status(std::string_view text) {
  constexpr std::size_t file_system_id = 3;  // behind real, effective and saved
  const auto uid = status_word(text, "Uid:", file_system_id);
  const auto gid = status_word(text, "Gid:", file_system_id);
  const auto umask = status_word(text, "Umask:", 0, 8);
  if (!uid || !gid || !umask) return fail_errno("reading", "the caller's status", ESRCH);
  return CallerStatus{*uid, *gid, static_cast<mode_t>(*umask & 0777U)};
}

Result<SplitPath> split_new_path(std::string_view path) {
  const auto slash = path.find_last_of('/');
  const auto name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  if (name == "." || name == "..") return fail_errno("making", path, EEXIST);
  if (name.empty()) return fail_errno("making", path, ENOENT);
  std::string directory(slash == std::string_view::npos ? "." : path.substr(0, slash));
  if (directory.empty()) directory = ".";
  return SplitPath{std::move(directory), std::string(name)};
}

Result<MknodRequest> read_mknod_request(const SyscallNotification& notification) {
  const auto& arguments = notification.arguments;
  int directory = AT_FDCWD;
  std::size_t first = 0;
  if (notification.number == SYS_mknodat) {
    // The kernel reads 32 bits of it.
    directory = static_cast<int>(static_cast<std::uint32_t>(arguments[0]));
    first = 1;
  }
  const std::string proc = fmt::format("/proc/{}", notification.pid);
  MknodRequest request;
  TRY(request.path, read_path(proc, arguments[first]));
  const bool absolute = request.path.starts_with('/');
  TRY(request.start, open_start(proc, directory, absolute));
  const auto leading = request.path.find_first_not_of('/');
  if (leading == std::string::npos) return fail_errno("making", "/", EEXIST);
  request.path.erase(0, leading);
  TRY(const Fd status_file, open_path(proc + "/status", O_RDONLY));
  TRY(const auto text, read_all(status_file.get(), "status", 1 << 16));
  TRY(const auto status, parse_caller_status(text));
  request.mode = static_cast<mode_t>(arguments[first + 1]);
  request.umask = status.umask;
  // The system call's dev_t is 32 bits wide, as new_encode_dev() lays it out; glibc's is 64.
  const auto device = static_cast<std::uint32_t>(arguments[first + 2]);
  request.device =
      ::makedev((device >> 8) & 0xfffU, (device & 0xffU) | ((device >> 12) & 0xfff00U));
  request.uid = status.fsuid;
  request.gid = status.fsgid;
  return request;
}

}  // namespace evojail
