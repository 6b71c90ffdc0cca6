#include "cli/fingerprint.hpp"

#include "base/base64.hpp"
#include "base/parse.hpp"
#include "base/sha256.hpp"

namespace evojail {

std::optional<std::string> fingerprint(std::string_view public_key) {
  const auto words = split_words(trim(public_key));
  if (words.size() < 2) return std::nullopt;
  const auto blob = decode_base64(words[1]);
  if (!blob) return std::nullopt;
  const auto digest = sha256(*blob);
  std::string text = encode_base64({reinterpret_cast<const char*>(digest.data()), digest.size()});
  while (text.ends_with('=')) text.pop_back();
  return "SHA256:" + text;
}

}  // namespace evojail
