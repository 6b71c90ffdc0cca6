#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace evojail {

/// Whether `type` names a public key that sshd takes from an authorized_keys file.
[[nodiscard]] bool is_ssh_key_type(std::string_view type);

/// Why a key type that exists is refused: DSA, which OpenSSH has switched off since 7.0, and
/// certificates, which sshd does not take from authorized_keys. Nothing for any other text.
[[nodiscard]] std::optional<std::string> refused_ssh_key_type(std::string_view type);

/// Checks a public key's blob (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4, and
/// OpenSSH's PROTOCOL.u2f): it names `type`, each field has the length that the type wants, and
/// nothing follows.
/// @return what is wrong, nothing where it is sound.
[[nodiscard]] std::optional<std::string> check_ssh_key(std::string_view type,
                                                       std::string_view blob);

}  // namespace evojail
