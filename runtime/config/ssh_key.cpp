#include "config/ssh_key.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/printable.hpp"

namespace evojail {
namespace {

enum class Kind : std::uint8_t { rsa, ecdsa, ed25519 };

struct KeyType {
  std::string_view name;
  Kind kind;
  std::string_view curve;  ///< ecdsa: the name in the blob
  std::size_t point;       ///< bytes of the public point
  bool security_key;       ///< an application's name follows
};

constexpr auto kTypes = std::to_array<KeyType>({
    {"ssh-ed25519", Kind::ed25519, "", 32, false},
    {"sk-ssh-ed25519@openssh.com", Kind::ed25519, "", 32, true},
    {"ecdsa-sha2-nistp256", Kind::ecdsa, "nistp256", 65, false},
    {"ecdsa-sha2-nistp384", Kind::ecdsa, "nistp384", 97, false},
    {"ecdsa-sha2-nistp521", Kind::ecdsa, "nistp521", 133, false},
    {"sk-ecdsa-sha2-nistp256@openssh.com", Kind::ecdsa, "nistp256", 65, true},
    {"ssh-rsa", Kind::rsa, "", 0, false},
});

constexpr std::size_t kLeastRsaBits = 1024;  // sshd(8), RequiredRSASize
constexpr std::size_t kMostRsaBits = 16384;  // sshd(8), AUTHORIZED_KEYS FILE FORMAT

const KeyType* find_type(std::string_view name) {
  for (const KeyType& type : kTypes) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

/// Takes a length-prefixed string (RFC 4251 section 5) off the front of `blob`.
std::optional<std::string_view> take_string(std::string_view& blob) {
  if (blob.size() < 4) return std::nullopt;
  std::uint32_t length = 0;
  for (const char c : blob.substr(0, 4)) length = (length << 8) | static_cast<unsigned char>(c);
  blob.remove_prefix(4);
  if (blob.size() < length) return std::nullopt;
  const std::string_view value = blob.substr(0, length);
  blob.remove_prefix(length);
  return value;
}

/// The bits of a positive mpint, 0 where it is negative or zero.
std::size_t positive_bits(std::string_view mpint) {
  if (mpint.empty() || static_cast<unsigned char>(mpint.front()) >= 0x80) return 0;
  const auto first = mpint.find_first_not_of('\0');
  if (first == std::string_view::npos) return 0;
  const auto top = static_cast<unsigned char>(mpint[first]);
  return (mpint.size() - first - 1) * 8 + static_cast<std::size_t>(std::bit_width(top));
}

std::optional<std::string> check_rsa(std::string_view& blob) {
  const auto exponent = take_string(blob);
  const auto modulus = exponent ? take_string(blob) : std::nullopt;
  if (!modulus || positive_bits(*exponent) == 0) return "the RSA key is cut short or damaged";
  const std::size_t bits = positive_bits(*modulus);
  if (bits < kLeastRsaBits || bits > kMostRsaBits) {
    return fmt::format("the RSA key has {} bits; sshd takes {} to {}", bits, kLeastRsaBits,
                       kMostRsaBits);
  }
  return std::nullopt;
}

}  // namespace

bool is_ssh_key_type(std::string_view type) { return find_type(type) != nullptr; }

std::optional<std::string> refused_ssh_key_type(std::string_view type) {
  if (type == "ssh-dss") return "OpenSSH no longer takes DSA keys";
  if (type.ends_with("-cert-v01@openssh.com")) return "this is a certificate, not a public key";
  return std::nullopt;
}

std::optional<std::string> check_ssh_key(std::string_view type, std::string_view blob) {
  const KeyType* expected = find_type(type);
  if (expected == nullptr) return fmt::format("'{}' is not a key type", printable(type, 40));
  const auto named = take_string(blob);
  if (!named) return fmt::format("the {} key is cut short", type);
  if (*named != type) {
    return fmt::format("the key says that it is '{}', not '{}'", printable(*named, 40), type);
  }
  if (expected->kind == Kind::rsa) {
    if (auto wrong = check_rsa(blob)) return wrong;
  } else {
    if (expected->kind == Kind::ecdsa) {
      const auto curve = take_string(blob);
      if (!curve || *curve != expected->curve) return fmt::format("the {} key is damaged", type);
    }
    const auto point = take_string(blob);
    const bool uncompressed =
        expected->kind != Kind::ecdsa || (point && point->starts_with('\x04'));
    if (!point || point->size() != expected->point || !uncompressed) {
      return fmt::format("the {} key is cut short or damaged", type);
    }
    if (expected->security_key) {
      const auto application = take_string(blob);
      if (!application || application->empty()) return fmt::format("the {} key is cut short", type);
    }
  }
  if (!blob.empty()) return fmt::format("something follows the {} key", type);
  return std::nullopt;
}

}  // namespace evojail
