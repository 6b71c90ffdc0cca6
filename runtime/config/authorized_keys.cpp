#include "config/authorized_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/base64.hpp"
#include "base/parse.hpp"
#include "base/printable.hpp"
#include "config/assignments.hpp"
#include "config/ssh_key.hpp"

namespace evojail {
namespace {

constexpr std::size_t kLongestLine = 8192;  // sshd(8)
constexpr std::string_view kForm =
    "a line is: [options] key-type base64-key [comment], as in an id_ed25519.pub file";

/// sshd(8), "The following option specifications are supported"; those with a value end in '='.
constexpr auto kOptions = std::to_array<std::string_view>({"agent-forwarding",
                                                           "cert-authority",
                                                           "command=",
                                                           "environment=",
                                                           "expiry-time=",
                                                           "from=",
                                                           "no-agent-forwarding",
                                                           "no-port-forwarding",
                                                           "no-pty",
                                                           "no-touch-required",
                                                           "no-user-rc",
                                                           "no-x11-forwarding",
                                                           "permitlisten=",
                                                           "permitopen=",
                                                           "port-forwarding",
                                                           "principals=",
                                                           "pty",
                                                           "restrict",
                                                           "tunnel=",
                                                           "user-rc",
                                                           "verify-required",
                                                           "x11-forwarding"});

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// Takes a value in quotes off the front of `line`; a quote within it stands behind a backslash.
std::optional<std::string> take_value(std::string_view& line, std::string_view option) {
  if (!line.starts_with('"')) return fmt::format("the value of {} has no quotes", option);
  std::size_t close = 1;
  while (close < line.size() && line[close] != '"') {
    close += line.substr(close).starts_with("\\\"") ? 2U : 1U;
  }
  if (close >= line.size()) return fmt::format("the value of {} has no closing quote", option);
  line.remove_prefix(close + 1);
  return std::nullopt;
}

/// Takes the option list off the front of `line`, up to the blank that ends it.
/// @return what is wrong with it, nothing where it is sound.
std::optional<std::string> take_options(std::string_view& line) {
  while (true) {
    const std::size_t end = std::min(line.find_first_of("=, \t\""), line.size());
    const bool has_value = line.substr(end).starts_with('=');
    const std::string option = lower(line.substr(0, end)) + (has_value ? "=" : "");
    if (std::ranges::find(kOptions, option) == kOptions.end()) {
      return fmt::format("'{}' is neither a key type nor an option", printable(option, 40));
    }
    line.remove_prefix(option.size());
    if (has_value) {
      if (auto wrong = take_value(line, option)) return wrong;
    }
    if (line.empty()) return "options without a key";
    const char next = line.front();
    line.remove_prefix(1);
    if (next == ' ' || next == '\t') return std::nullopt;
    if (next != ',') return fmt::format("something behind the option {}", option);
  }
}

/// @return what is wrong with the line, nothing where it holds a key.
std::optional<std::string> check_line(std::string_view line) {
  if (line.size() > kLongestLine) return "the line is longer than 8192 bytes";
  if (line.contains("PRIVATE KEY-----") || line.starts_with("PuTTY-User-Key-File")) {
    return "this is a private key; never hand it out";
  }
  const auto control = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  };
  if (std::ranges::any_of(line, control)) return "a control character";

  std::vector<std::string_view> words = split_words(line);
  if (!is_ssh_key_type(words.front())) {
    if (const auto refused = refused_ssh_key_type(words.front())) return refused;
    if (const auto wrong = take_options(line)) return wrong;
    words = split_words(line);
    if (words.empty()) return "options without a key";
    if (const auto refused = refused_ssh_key_type(words.front())) return refused;
    if (!is_ssh_key_type(words.front())) {
      return fmt::format("'{}' is not a key type", printable(words.front(), 40));
    }
  }
  if (words.size() < 2) return fmt::format("no key behind '{}'", words.front());
  const auto blob = decode_base64(words[1]);
  if (!blob) return fmt::format("the key behind '{}' is not base64", words.front());
  return check_ssh_key(words.front(), *blob);
}

}  // namespace

Result<std::size_t> check_authorized_keys(std::string_view text, std::string_view file) {
  std::size_t keys = 0;
  std::size_t number = 0;
  for (const std::string_view raw : split_lines(text)) {
    ++number;
    const std::string_view line = trim(raw);
    if (line.empty() || line.starts_with('#')) continue;
    if (const auto wrong = check_line(line)) {
      return std::unexpected(Error(at_line(file, number) + *wrong).hint(kForm));
    }
    ++keys;
  }
  if (keys == 0) {
    return std::unexpected(Error(fmt::format("'{}' holds no key", file)).hint(kForm));
  }
  return keys;
}

}  // namespace evojail
