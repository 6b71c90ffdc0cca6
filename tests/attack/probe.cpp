#include "probe.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

namespace evojail::attack {

std::uint16_t victim_port = 0;

Outcome outcome_of_fd(long fd) {
  if (fd < 0) return errno;
  ::close(static_cast<int>(fd));
  return 0;
}

const std::string& data_directory() {
  static const std::string directory = [] {
    const char* given = std::getenv("ATK_DATA");
    return given != nullptr ? given : "/data";
  }();
  return directory;
}

std::string base_path(const char* path) {
  const char* base = std::getenv("ATK_BASE");
  return std::string(base != nullptr ? base : "") + path;
}

std::string above_root() {
  std::string path;
  for (int level = 0; level < 64; ++level) path += "../";
  return path;
}

int make_file(const std::string& name, std::size_t bytes) {
  const std::string path = data_directory() + "/" + name;
  ::unlink(path.c_str());
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const std::string content(bytes, 'x');
  if (fd >= 0 && ::write(fd, content.data(), content.size()) < 0) return -1;
  return fd;
}

}  // namespace evojail::attack
