#pragma once

#include <string>

#include "config/host_settings.hpp"

namespace evojail {

/// Where a jail's things lie, by name alone; nothing is looked up.
struct JailPaths {
  std::string conf_dir;         ///< CONFDIR/NAME.d
  std::string conf;             ///< …/jail.conf
  std::string incs_policy;      ///< …/incs_policy
  std::string check_policy;     ///< …/check_policy
  std::string authorized_keys;  ///< …/authorized_keys
  std::string jail_dir;         ///< JAILDIR/NAME, root's own
  std::string data;             ///< …/data, in the jail /data and /var/backup
  std::string var;              ///< …/var, in the jail /var
  std::string incs_dir;         ///< INCDIR/NAME
  std::string meta_dir;         ///< INCDIR/NAME/.meta
  std::string archive_dir;      ///< ARCHIVESDIR/NAME
  std::string run_dir;          ///< RUNDIR/NAME, while it runs
  std::string store_lock;       ///< RUNDIR/.lock/NAME.store: inc, rm, remove, rename, archive
  std::string run_lock;         ///< RUNDIR/.lock/NAME.run: its supervisor
  std::string log;              ///< LOGDIR/NAME.log

  JailPaths(const HostSettings& host, const std::string& name);

  /// CONFDIR/NAME.d/ssh_host_TYPE_key
  [[nodiscard]] std::string host_key(const std::string& type) const;
};

}  // namespace evojail
