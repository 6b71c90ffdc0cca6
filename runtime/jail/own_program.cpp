#include "jail/own_program.hpp"

#include <unistd.h>

#include <array>
#include <string_view>

namespace evojail {

Result<std::string> own_program() {
  std::array<char, 4096> buffer{};
  const ssize_t size = ::readlink("/proc/self/exe", buffer.data(), buffer.size());
  if (size < 0) return fail_errno("reading", "/proc/self/exe");
  std::string path(buffer.data(), static_cast<std::size_t>(size));
  constexpr std::string_view replaced = " (deleted)";
  if (path.ends_with(replaced)) path.resize(path.size() - replaced.size());
  return path;
}

}  // namespace evojail
