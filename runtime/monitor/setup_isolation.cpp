#include <fcntl.h>

#include "base/fd.hpp"
#include "base/file.hpp"
#include "base/parse.hpp"
#include "kernel/mounts.hpp"
#include "kernel/user_namespace.hpp"
#include "monitor/setup_check.hpp"
#include "store/host_check.hpp"
#include "store/uid_lease.hpp"

namespace evojail {
namespace {

/// As for a jail whose range is the last of all; nothing is made that outlives the descriptor.
const std::uint32_t kProbeBase = UidRange{uid_range_count - 1}.base();
constexpr std::uint64_t kProbeProcesses = 10;

Finding check_mapped_mount(const HostSettings& host, int user_namespace) {
  const auto directory = open_nearest(host.jaildir);
  if (!directory) return missing("idmapped mounts", directory.error());
  const auto mount = clone_mount(directory->get(), host.jaildir, {}, user_namespace);
  if (mount) return good("idmapped mounts", "a trial on the volume succeeded");
  return missing("idmapped mounts", mount.error().message(),
                 "the volume's file system has none in this kernel: ext4 and xfs have them from "
                 "Linux 5.12, btrfs from 5.15");
}

Finding check_seccomp() {
  const auto text = read_file("/proc/sys/kernel/seccomp/actions_avail");
  if (!text) {
    return missing("seccomp", "the kernel has no seccomp filters",
                   "use a kernel with CONFIG_SECCOMP_FILTER, as Debian's");
  }
  bool notify = false;
  for (const auto action : split_words(trim(*text))) notify = notify || action == "user_notif";
  if (notify) return good("seccomp", "filters and user notification");
  return missing("seccomp", "the kernel has no user notification",
                 "use a kernel with CONFIG_SECCOMP_FILTER, as Debian's");
}

}  // namespace

Findings check_isolation(const HostSettings& host) {
  Findings findings{check_seccomp()};
  const auto user_namespace = make_user_namespace(kProbeBase, kProbeProcesses);
  if (!user_namespace) {
    const Error& error = user_namespace.error();
    findings.push_back(missing("user namespaces", error.message(), error.hint()));
    return findings;
  }
  findings.push_back(good("user namespaces", "a trial succeeded"));
  findings.push_back(check_mapped_mount(host, user_namespace->get()));
  return findings;
}

}  // namespace evojail
