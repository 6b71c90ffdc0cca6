#include "store/jails.hpp"

#include <fmt/format.h>

#include "base/directory.hpp"
#include "base/file.hpp"
#include "config/authorized_keys.hpp"
#include "config/jail_name.hpp"
#include "config/layout.hpp"
#include "store/moves.hpp"
#include "store/recover.hpp"

namespace evojail {

Result<bool> has_settings(const HostSettings& host, const std::string& name) {
  return has_path(JailPaths(host, name).conf);
}

Result<std::vector<std::string>> list_jails(const HostSettings& host) {
  auto confs = open_directory(host.confdir);
  if (!confs && confs.error().code() == ENOENT) return std::vector<std::string>();
  if (!confs) return std::unexpected(std::move(confs).error());
  TRY(const auto entries, list_directory(confs->get(), host.confdir));
  std::vector<std::string> names;
  for (const auto& entry : entries) {
    if (!entry.ends_with(".d")) continue;
    const std::string name = entry.substr(0, entry.size() - 2);
    if (!parse_jail_name(name)) continue;
    // One that cannot be looked for is likely a jail's: whoever works on that jail has the error,
    // and the others go on.
    if (has_settings(host, name).value_or(true)) names.push_back(name);
  }
  return names;
}

Result<std::string> load_jail_text(const HostSettings& host, const std::string& name) {
  CHECK(parse_jail_name(name));
  const JailPaths paths(host, name);
  auto text = read_file(paths.conf);
  if (text) {
    CHECK(check_not_moving(host, name));
    return text;
  }
  if (text.error().code() != ENOENT) return text;
  if (path_exists(paths.jail_dir + "/version") || path_exists(paths.jail_dir + "/rootfs") ||
      path_exists(paths.jail_dir + "/usr/sbin/sshd")) {
    return std::unexpected(
        Error(fmt::format("jail '{}' was laid out by bkctld: '{}' is missing", name, paths.conf),
              ErrorKind::layout_version)
            .hint("evojail(8) says how to move it over: MOVING FROM BKCTLD"));
  }
  return std::unexpected(
      Error(fmt::format("no such jail: '{}'", name), ErrorKind::no_such_jail)
          .hint(path_exists(paths.archive_dir)
                    ? fmt::format("it is archived in '{}'; evojail(8) says how it comes back: "
                                  "TAKING BACK, TAKING LEAVE",
                                  paths.archive_dir)
                    : "evojail list shows the jails, evojail init makes one"));
}

Result<void> check_has_data(const HostSettings& host, const std::string& name) {
  const std::string path = JailPaths(host, name).jail_dir;
  if (path_exists(path)) return {};
  return std::unexpected(Error(fmt::format("jail '{}' has no data: '{}' is missing", name, path))
                             .hint("is the volume mounted?"));
}

Result<void> check_has_data_in_either(const std::string& old_dir, const std::string& old_name,
                                      const std::string& new_dir, const std::string& new_name) {
  TRY(const Fd from, open_directory(old_dir));
  TRY(const bool before, has_entry(from.get(), old_name, old_dir));
  if (before) return {};
  TRY(const Fd to, open_directory(new_dir));
  TRY(const bool after, has_entry(to.get(), new_name, new_dir));
  if (after) return {};
  return std::unexpected(Error(fmt::format("there is neither '{}/{}' nor '{}/{}'", old_dir,
                                           old_name, new_dir, new_name))
                             .hint("is the volume mounted?"));
}

Result<JailSettings> load_settings_file(const HostSettings& host, const std::string& name) {
  const std::string path = JailPaths(host, name).conf;
  TRY(const std::string text, read_file(path));
  return parse_jail_settings(text, path);
}

Result<JailSettings> load_jail(const HostSettings& host, const std::string& name) {
  TRY(const std::string text, load_jail_text(host, name));
  return parse_jail_settings(text, JailPaths(host, name).conf);
}

Result<void> replace_settings(const HostSettings& host, const std::string& name,
                              const std::string& text) {
  CHECK(load_jail_text(host, name));
  const std::string path = JailPaths(host, name).conf;
  CHECK(parse_jail_settings(text, path));
  return replace_file(path, text, 0640);
}

Result<void> replace_keys(const HostSettings& host, const std::string& name,
                          const std::string& text) {
  CHECK(load_jail_text(host, name));
  const std::string path = JailPaths(host, name).authorized_keys;
  CHECK(check_authorized_keys(text, path));
  return replace_file(path, text, 0600);
}

}  // namespace evojail
