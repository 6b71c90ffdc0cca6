#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "config/jail_settings.hpp"
#include "store/engine.hpp"

namespace evojail {

/// Whether CONFDIR/NAME.d/jail.conf is there; an error where that cannot be found out.
[[nodiscard]] Result<bool> has_settings(const HostSettings& host, const std::string& name);

/// The names of all jails, sorted: those with a CONFDIR/NAME.d/jail.conf, or where that cannot be
/// found out. A jail whose making was cut short is not among them, one whose removal was cut short
/// is.
[[nodiscard]] Result<std::vector<std::string>> list_jails(const HostSettings& host);

/// CONFDIR/NAME.d/jail.conf of one jail. ErrorKind::no_such_jail where there is none,
/// ErrorKind::layout_version where JAILDIR/NAME was laid out by bkctld.
[[nodiscard]] Result<JailSettings> load_jail(const HostSettings& host, const std::string& name);

/// load_jail() with the text as it stands in the file, for edit_jail_settings().
[[nodiscard]] Result<std::string> load_jail_text(const HostSettings& host, const std::string& name);

/// jail.conf parsed, whatever the jail is going through (load_jail() refuses one that is being
/// moved or removed): for what must know of every jail, such as its port.
[[nodiscard]] Result<JailSettings> load_settings_file(const HostSettings& host,
                                                      const std::string& name);

/// A file of CONFDIR/NAME.d: a host key, authorized_keys.
struct SettingsFile {
  std::string name;
  std::string bytes;
  mode_t mode = 0600;
};

struct NewJail {
  std::string settings;             ///< the text of jail.conf
  std::string incs_policy;          ///< empty: no file, hence no incs
  std::string check_policy;         ///< empty: no file
  std::vector<SettingsFile> files;  ///< host keys, authorized_keys
};

/// Makes a jail: JAILDIR/NAME (a subvolume on btrfs) with data/ and var/, and CONFDIR/NAME.d. All
/// of it is built under temporary names and gets its own last, the settings after the data, so that
/// a jail that is listed is whole. A name that is taken, by a jail or by what is left of one (its
/// incs, its settings), is an error that changes nothing. That the port is free is for the caller
/// to see to, under lock_ports().
[[nodiscard]] Result<void> create_jail(const HostSettings& host, const std::string& name,
                                       const NewJail& jail);

/// Removes a jail that does not run: its data, its incs, and its settings last. Cut short at any
/// point, it goes on with the next call (or the next operation on the jail). A jail with a held inc
/// is refused.
/// @param force a jail that does not exist is no error (bkctld's --force).
/// @return what was left in INCDIR/NAME because it is no inc; empty: nothing.
[[nodiscard]] Result<std::vector<std::string>> remove_jail(const HostSettings& host,
                                                           const std::string& name, bool force,
                                                           const RemoveProgress& progress = {});

/// Gives a jail that does not run another name: data, incs, settings, uid range.
[[nodiscard]] Result<void> rename_jail(const HostSettings& host, const std::string& old_name,
                                       const std::string& new_name);

/// Moves a jail that does not run to ARCHIVESDIR/NAME, settings and keys with it (ARCHIVESDIR/NAME/
/// settings). Its incs stay, with their policy, and are thinned on.
[[nodiscard]] Result<void> archive_jail(const HostSettings& host, const std::string& name);

/// Puts the text in place of jail.conf, whole or not at all; it is parsed first.
[[nodiscard]] Result<void> replace_settings(const HostSettings& host, const std::string& name,
                                            const std::string& text);

/// Puts the text in place of authorized_keys, whole or not at all; each line is checked first.
[[nodiscard]] Result<void> replace_keys(const HostSettings& host, const std::string& name,
                                        const std::string& text);

}  // namespace evojail
