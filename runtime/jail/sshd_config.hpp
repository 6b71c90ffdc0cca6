#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "config/jail_settings.hpp"

namespace evojail {

/// What sshd_config depends on beside the jail's settings.
struct SshdOptions {
  bool sftp_only = false;  ///< the profile offers SFTP and no shell
  /// Types of the host keys in the jail's /etc/ssh, in the order they are offered: "ed25519",
  /// "ecdsa", "rsa".
  std::vector<std::string> host_key_types;
};

/// The sshd_config of a jail, for `sshd -i -e -f /etc/ssh/sshd_config`, from
/// profiles/sshd_config.in. Valid for OpenSSH 9.2 (Debian 12) to 10.0 (Debian 13).
[[nodiscard]] Result<std::string> make_sshd_config(const JailSettings& settings,
                                                   const SshdOptions& options);

/// The same from the text of a template; `file` is its name in errors. A placeholder that is none
/// is an error.
[[nodiscard]] Result<std::string> fill_sshd_config(std::string_view text, std::string_view file,
                                                   const JailSettings& settings,
                                                   const SshdOptions& options);

}  // namespace evojail
