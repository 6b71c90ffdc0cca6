#include "cli/key_file.hpp"

#include <unistd.h>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "config/authorized_keys.hpp"

namespace evojail {

Result<std::string> read_key_file(const std::string& word) {
  constexpr std::size_t limit = 1 << 20;
  const std::string name = word == "-" ? "standard input" : word;
  auto read = word == "-" ? read_all(STDIN_FILENO, name, limit) : read_file(word, limit);
  if (!read) return std::unexpected(std::move(read).error().in("public keys"));
  std::string text = *std::move(read);
  CHECK(check_authorized_keys(text, name));
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

}  // namespace evojail
