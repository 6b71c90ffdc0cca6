// Run in a jail: maps a file, stores into it, and stores once more when a line comes in. Nothing of
// it is ever written by write(2).

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace {

constexpr std::size_t page = 4096;

bool say(const char* word) {
  const std::size_t size = std::strlen(word);
  return ::write(STDOUT_FILENO, word, size) == static_cast<ssize_t>(size);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const int fd = ::open(argv[1], O_RDWR | O_CLOEXEC);
  if (fd < 0) return 3;
  void* const memory = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return 4;
  ::close(fd);
  std::memcpy(memory, "before", 6);
  if (!say("mapped\n")) return 5;
  std::array<char, 16> line{};
  if (::read(STDIN_FILENO, line.data(), line.size()) <= 0) return 6;
  std::memcpy(memory, "after!", 6);
  return say("stored\n") ? 0 : 5;
}
