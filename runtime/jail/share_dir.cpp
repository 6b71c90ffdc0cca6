#include "jail/share_dir.hpp"

#include <cerrno>
#include <string_view>

#include "base/file.hpp"
#include "jail/own_program.hpp"

namespace evojail {
namespace {

std::string_view parent_of(std::string_view path) {
  const auto slash = path.find_last_of('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

/// `relative` below the prefix that the executable is installed under.
Result<std::string> find_below_prefix(std::string_view relative) {
  TRY(const auto program, own_program());
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
