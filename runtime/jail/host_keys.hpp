#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace evojail {

/// One SSH host key as its two files hold it.
struct HostKey {
  std::string type;         ///< "ed25519", "ecdsa", "rsa"
  std::string private_key;  ///< of ssh_host_TYPE_key, which has mode 0600
  std::string public_key;   ///< of ssh_host_TYPE_key.pub, mode 0644; its comment is the jail's name
};

/// The types that a new jail gets, best first; RSA only for clients of old.
[[nodiscard]] std::vector<std::string> new_host_key_types(bool legacy_clients);

/// Makes new host keys with ssh-keygen(1), all at once, ecdsa on nistp256, rsa of 3072 bits. They
/// are made in a directory of their own, 0700, below `scratch`, which is gone afterwards; let it be
/// on a tmpfs. To put them in place is the caller's business, so nothing is ever overwritten here.
[[nodiscard]] Result<std::vector<HostKey>> make_host_keys(const std::vector<std::string>& types,
                                                          const std::string& comment,
                                                          const std::string& scratch);

}  // namespace evojail
