#include "jail/share_dir.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <string_view>

#include "base/file.hpp"

namespace evojail {
namespace {

std::string_view parent_of(std::string_view path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

/// `relative` below the prefix that the executable is installed under.
Result<std::string> find_below_prefix(std::string_view relative) {
  std::array<char, PATH_MAX> buffer{};
  const ssize_t length = ::readlink("/proc/self/exe", buffer.data(), buffer.size());
  if (length < 0) return fail_errno("reading", "/proc/self/exe");
  // proc(5): the name of a replaced file ends in " (deleted)"; only its directory counts here.
  const std::string_view program(buffer.data(), static_cast<std::size_t>(length));
  std::string path(parent_of(parent_of(program)));
  path += relative;
  if (path_exists(path)) return path;
  return std::unexpected(Error::system("looking for", path, ENOENT)
                             .hint("it belongs to the program: install evojail again, or run it "
                                   "from its build tree"));
}

}  // namespace

Result<std::string> find_share_dir() { return find_below_prefix("/share/evojail"); }

Result<std::string> find_session_shell() {
  return find_below_prefix("/libexec/evojail/evojail-session-shell");
}

Result<std::string> find_init() { return find_below_prefix("/libexec/evojail/evojail-init"); }

}  // namespace evojail
