#include "config/layout.hpp"

namespace evojail {

JailPaths::JailPaths(const HostSettings& host, const std::string& name)
    : conf_dir(host.confdir + "/" + name + ".d"),
      conf(conf_dir + "/jail.conf"),
      incs_policy(conf_dir + "/incs_policy"),
      check_policy(conf_dir + "/check_policy"),
      authorized_keys(conf_dir + "/authorized_keys"),
      jail_dir(host.jaildir + "/" + name),
      data(jail_dir + "/data"),
      var(jail_dir + "/var"),
      incs_dir(host.incdir + "/" + name),
      meta_dir(incs_dir + "/.meta"),
      archive_dir(host.archivesdir + "/" + name),
      run_dir(host.rundir + "/" + name),
      store_lock(host.rundir + "/.lock/" + name + ".store"),
      run_lock(host.rundir + "/.lock/" + name + ".run"),
      log(host.logdir + "/" + name + ".log") {}

std::string JailPaths::host_key(const std::string& type) const {
  return conf_dir + "/ssh_host_" + type + "_key";
}

}  // namespace evojail
