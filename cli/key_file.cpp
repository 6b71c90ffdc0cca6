#include "cli/key_file.hpp"

#include <unistd.h>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "config/authorized_keys.hpp"

namespace evojail {

namespace {

/// What may have been meant by a word that names no file.
std::string_view hint_for(const std::string& word) {
  if (check_authorized_keys(word, word)) {
    return "that is a key, and the name of a file is wanted; '-' takes keys from standard input";
  }
  return "the client's ssh-keygen(1) wrote it, as ~/.ssh/id_ed25519.pub for instance; '-' is "
         "standard input";
}

}  // namespace

Result<std::string> read_key_file(const std::string& word) {
  constexpr std::size_t limit = 1 << 20;
  const std::string name = word == "-" ? "standard input" : word;
  auto read = word == "-" ? read_all(STDIN_FILENO, name, limit) : read_file(word, limit);
  if (!read) return std::unexpected(std::move(read).error().in("public keys").hint(hint_for(word)));
  std::string text = *std::move(read);
  CHECK(check_authorized_keys(text, name));
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

}  // namespace evojail
