#include "jail/sshd_config.hpp"

#include <fmt/format.h>

#include <array>

#include "base/file.hpp"
#include "base/parse.hpp"
#include "base/printable.hpp"
#include "jail/share_dir.hpp"

namespace evojail {
namespace {

struct Placeholder {
  std::string_view name;
  std::string text;  ///< without the last newline
};

std::string host_key_lines(const std::vector<std::string>& types) {
  std::string lines;
  for (const auto& type : types) {
    if (!lines.empty()) lines += '\n';
    lines += fmt::format("HostKey /etc/ssh/ssh_host_{}_key", type);
  }
  return lines;
}

/// OpenSSH's own lists, which grow with its versions, less what only old clients would use. A name
/// behind
/// '-' is a pattern and need not exist; a name behind '+' has to, in 9.2 as in 10.0.
std::string algorithm_lines(bool legacy_clients) {
  if (!legacy_clients) {
    // The group exchange reads /etc/ssh/moduli, which a jail does not have; whoever knows it knows
    // the fixed groups too.
    return "# Today's algorithms: OpenSSH's own choice without SHA-1 and short tags.\n"
           "KexAlgorithms -diffie-hellman-group-exchange-*,*-sha1\n"
           "MACs -hmac-sha1*,umac-64*\n"
           "RequiredRSASize 2048";
  }
  return "# LEGACY_CLIENTS=yes. OpenSSH before 7.2 signs with RSA and SHA-1 only; clients that "
         "have pinned\n"
         "# the RSA host key, and other programs of that age, know only these key exchanges.\n"
         "HostKeyAlgorithms +ssh-rsa\n"
         "PubkeyAcceptedAlgorithms +ssh-rsa\n"
         "KexAlgorithms +diffie-hellman-group14-sha256,diffie-hellman-group-exchange-sha256,"
         "diffie-hellman-group14-sha1";
}

std::string shell_lines(bool sftp_only) {
  if (!sftp_only) return "PermitTTY yes";
  // The program, not internal-sftp: it is a process of its own, with the filter of a program, and
  // what it ends with is reported as any command's.
  return "# This profile offers SFTP and nothing else.\n"
         "PermitTTY no\n"
         "ForceCommand /usr/lib/openssh/sftp-server";
}

}  // namespace

Result<std::string> fill_sshd_config(std::string_view text, std::string_view file,
                                     const JailSettings& settings, const SshdOptions& options) {
  if (options.host_key_types.empty()) {
    return std::unexpected(Error("a jail without a host key cannot be reached by ssh")
                               .hint("host keys lie beside jail.conf: ssh_host_ed25519_key, …"));
  }
  const std::array placeholders{
      Placeholder{.name = "@HOST_KEYS@", .text = host_key_lines(options.host_key_types)},
      Placeholder{.name = "@LOGIN_GRACE_TIME@",
                  .text = fmt::format("LoginGraceTime {}", settings.login_grace.count())},
      Placeholder{.name = "@ALGORITHMS@", .text = algorithm_lines(settings.legacy_clients)},
      Placeholder{.name = "@SHELL_ACCESS@", .text = shell_lines(options.sftp_only)},
  };
  std::string config;
  unsigned number = 0;
  std::size_t filled = 0;
  for (const auto line : split_lines(text)) {
    ++number;
    if (!line.starts_with('@')) {
      config += fmt::format("{}\n", line);
      continue;
    }
    bool known = false;
    for (const auto& placeholder : placeholders) {
      if (line != placeholder.name) continue;
      config += placeholder.text + "\n";
      known = true;
      ++filled;
    }
    if (!known) {
      return fail(fmt::format("{}:{}: unknown placeholder '{}'", file, number, printable(line)));
    }
  }
  if (filled != placeholders.size()) {
    return fail(fmt::format("{}: each of the {} placeholders has to be there once, found {}", file,
                            placeholders.size(), filled));
  }
  return config;
}

Result<std::string> make_sshd_config(const JailSettings& settings, const SshdOptions& options) {
  TRY(const std::string share, find_share_dir());
  const std::string file = share + "/profiles/sshd_config.in";
  TRY(const std::string text, read_file(file));
  return fill_sshd_config(text, file, settings, options);
}

}  // namespace evojail
