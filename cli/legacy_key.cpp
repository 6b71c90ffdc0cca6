#include "cli/legacy_key.hpp"

#include "base/file.hpp"
#include "config/layout.hpp"
#include "jail/host_keys.hpp"
#include "store/host_check.hpp"
#include "store/jails.hpp"

namespace evojail {

Result<void> ensure_legacy_key(const HostSettings& host, const std::string& name) {
  const auto settings = load_jail(host, name);
  // A jail that cannot be loaded has its error told by whoever starts it.
  if (!settings || !settings->legacy_clients) return {};
  const std::string file = JailPaths(host, name).host_key("rsa");
  if (path_exists(file)) return {};
  CHECK(make_run_dirs(host));
  TRY(const auto keys, make_host_keys({"rsa"}, name, host.rundir));
  CHECK(replace_file(file + ".pub", keys.front().public_key, 0644));
  return replace_file(file, keys.front().private_key, 0600);
}

}  // namespace evojail
