#include "jail/run_dir.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/parse.hpp"
#include "jail/sshd_config.hpp"

namespace evojail {
namespace {

std::string port_note(const JailPaths& paths) { return paths.run_dir + "/port"; }

Result<void> give(const std::string& path, std::uint32_t owner) {
  if (::lchown(path.c_str(), owner, owner) == 0) return {};
  return fail_errno("giving to the jail", path);
}

Result<void> make_owned_directory(const std::string& path, std::uint32_t owner) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
    return fail_errno("making directory", path);
  return give(path, owner);
}

/// Not replace_file(): nothing here outlives a reboot, so nothing needs to be synced, and the owner
/// has to be right before the name is.
Result<void> put_file(const std::string& path, std::string_view bytes, mode_t mode,
                      std::uint32_t owner) {
  const std::string temporary = path + ".new";
  ::unlink(temporary.c_str());
  TRY(const Fd file, open_path(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
  CHECK(write_all(file.get(), path, bytes));
  CHECK(give(temporary, owner));
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_errno("replacing", path);
  return {};
}

Result<std::vector<std::string>> put_host_keys(const JailPaths& paths, const std::string& ssh_dir,
                                               std::uint32_t owner) {
  std::vector<std::string> types;
  for (const char* type : {"ed25519", "ecdsa", "rsa"}) {
    const std::string from = paths.host_key(type);
    TRY(const bool there, has_path(from));
    if (!there) continue;
    TRY(const auto key, read_file(from));
    CHECK(put_file(fmt::format("{}/ssh_host_{}_key", ssh_dir, type), key, 0600, owner));
    types.emplace_back(type);
  }
  if (types.empty()) {
    return std::unexpected(
        Error(fmt::format("no SSH host key in '{}'", paths.conf_dir))
            .hint("put ssh_host_ed25519_key back from a copy, or make one with ssh-keygen; clients "
                  "will ask about a new one"));
  }
  return types;
}

}  // namespace

Result<void> write_run_dir(const JailPaths& paths, const JailSettings& settings, bool sftp_only,
                           std::uint32_t base_uid) {
  const std::string ssh_dir = paths.run_dir + "/ssh";
  const std::string dot_ssh = paths.run_dir + "/root/.ssh";
  if (::mkdir(paths.run_dir.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno("making directory", paths.run_dir);
  }
  CHECK(put_file(port_note(paths), std::to_string(settings.port), 0600, 0));
  for (const auto& directory : {ssh_dir, paths.run_dir + "/root", dot_ssh}) {
    CHECK(make_owned_directory(directory, base_uid));
  }
  TRY(const auto types, put_host_keys(paths, ssh_dir, base_uid));
  TRY(const auto config, make_sshd_config(settings, {sftp_only, types}));
  CHECK(put_file(ssh_dir + "/sshd_config", config, 0644, base_uid));
  std::string keys;
  TRY(const bool any_keys, has_path(paths.authorized_keys));
  if (any_keys) {
    TRY(keys, read_file(paths.authorized_keys));
  }
  return put_file(dot_ssh + "/authorized_keys", keys, 0600, base_uid);
}

Result<std::optional<std::uint16_t>> noted_port(const JailPaths& paths) {
  auto text = read_file(port_note(paths));
  if (!text && text.error().code() == ENOENT) return std::nullopt;
  if (!text) return std::unexpected(std::move(text).error());
  return parse_number<std::uint16_t>(*text, 1, 65535);
}

Result<void> remove_run_dir(const JailPaths& paths) {
  const auto gone = [](const std::string& path, bool directory) {
    return (directory ? ::rmdir(path.c_str()) : ::unlink(path.c_str())) == 0 || errno == ENOENT;
  };
  const std::string ssh_dir = paths.run_dir + "/ssh";
  bool all = true;
  for (const char* file : {"sshd_config", "sshd_config.new"})
    all &= gone(ssh_dir + "/" + file, false);
  for (const char* type : {"ed25519", "ecdsa", "rsa"}) {
    const std::string key = fmt::format("{}/ssh_host_{}_key", ssh_dir, type);
    all &= gone(key, false) && gone(key + ".new", false);
  }
  const std::string home = paths.run_dir + "/root";
  for (const char* file : {"/.ssh/authorized_keys", "/.ssh/authorized_keys.new"}) {
    all &= gone(home + file, false);
  }
  all &= gone(home + "/.ssh", true) && gone(home, true) && gone(ssh_dir, true);
  all &= gone(paths.run_dir + "/control", false) && gone(port_note(paths), false);
  all &= gone(port_note(paths) + ".new", false) && gone(paths.run_dir, true);
  if (!all) return fail_errno("removing", paths.run_dir);
  return {};
}

}  // namespace evojail
