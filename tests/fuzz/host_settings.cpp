#include "config/host_settings.hpp"

#include <string>

#include "config/check_policy.hpp"
#include "fuzz.hpp"

namespace {

void check_directories(const evojail::HostSettings& host) {
  for (const std::string& path : {host.confdir, host.jaildir, host.incdir, host.archivesdir,
                                  host.datadir, host.rundir, host.logdir}) {
    evojail::fuzz::require(path.starts_with('/') && !path.ends_with('/'),
                           "directories are absolute, without a trailing slash");
    const bool climbs = (path + "/").contains("/../") || (path + "/").contains("/./");
    evojail::fuzz::require(!climbs, "directories do not climb");
    evojail::fuzz::require(!path.contains('\0') && !path.contains('\n'),
                           "directories are one line");
  }
}

}  // namespace

EVOJAIL_FUZZ(host_settings) {
  if (const auto host = parse_host_settings(input, "evojail")) check_directories(*host);
  if (const auto host = parse_bkctld_settings(input, "bkctld")) check_directories(*host);
  if (const auto policy = parse_check_policy(input, "check_policy")) {
    require(policy->warning_hours.value_or(0) < 1'000'000, "thresholds are bounded");
  }
}
