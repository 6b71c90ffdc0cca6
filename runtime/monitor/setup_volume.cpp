#include <fmt/format.h>

#include "base/file.hpp"
#include "monitor/setup_check.hpp"
#include "store/host_check.hpp"

namespace evojail {
namespace {

/// The mount options that keep what clients pushed inert on the host.
Finding check_options(const StoreFacts& facts, const HostSettings& host) {
  std::string lacking;
  for (const auto& [name, present] :
       {std::pair{"nosuid", facts.nosuid}, std::pair{"nodev", facts.nodev},
        std::pair{"noexec", facts.noexec}}) {
    if (!present) lacking += fmt::format("{}{}", lacking.empty() ? "" : ",", name);
  }
  if (lacking.empty()) return good("volume", "mounted nosuid,nodev,noexec");
  return missing("volume",
                 fmt::format("not mounted {}: a setuid file or device node that a client pushed "
                             "is one to this host",
                             lacking),
                 fmt::format("add {} to the options of the volume of '{}' in /etc/fstab, then "
                             "mount -o remount,{} it",
                             lacking, host.jaildir, lacking));
}

Finding check_space(const FreeSpace& space, const StoreFacts& facts) {
  const auto gib = [](std::uint64_t bytes) {
    return static_cast<double>(bytes) / (1024.0 * 1024.0 * 1024.0);
  };
  const std::string text =
      fmt::format("{:.1f} GiB free of {:.1f} GiB", gib(space.available), gib(facts.size));
  if (!space.low()) return good("volume", text);
  const std::string lacking = space.low_in_bytes() ? text : describe(space);
  return missing("volume",
                 fmt::format("{}, less than DISK_RESERVE: writing sessions are ended", lacking),
                 "free some space: thin the incs (evojail rm), or enlarge the volume");
}

}  // namespace

Findings check_volume(const HostSettings& host) {
  // Directories that are not there yet are made by the first `init`.
  if (!path_exists(host.jaildir) && !path_exists(host.incdir)) {
    if (const auto fit = check_store_place(host); !fit) return {missing("volume", fit.error())};
    return {
        note("volume",
             fmt::format("'{}' is not there yet: the first 'evojail init' makes it", host.jaildir),
             fmt::format("mount the backup volume (btrfs, ext4 or xfs; nosuid,nodev,noexec) "
                         "first, so that '{}' lies on it",
                         host.jaildir))};
  }
  Findings findings;
  const auto checked = check_store(host);
  if (!checked) findings.push_back(missing("volume", checked.error()));
  const auto facts = inspect_store(host);
  if (!facts) {
    if (checked) findings.push_back(missing("volume", facts.error()));
    return findings;
  }
  if (checked) {
    findings.push_back(good("volume", fmt::format("{}, root's own", to_string(facts->type))));
  }
  if (facts->read_only) {
    findings.push_back(missing("volume", "mounted read-only",
                               "see dmesg(1) for an error of the disk, then remount it rw"));
  }
  findings.push_back(check_options(*facts, host));
  if (facts->on_root) {
    findings.push_back(
        note("volume",
             fmt::format("'{}' lies on the root file system: a client can fill the host's own disk",
                         host.jaildir),
             fmt::format("mount a volume of its own at '{}' or above it; one that should be "
                         "mounted already hides what lies there now",
                         host.jaildir)));
  }
  if (facts->archives_apart) {
    findings.push_back(note(
        "volume",
        fmt::format("'{}' is on another volume or mount: 'archive' cannot work", host.archivesdir),
        fmt::format("put ARCHIVESDIR beside '{}'", host.jaildir)));
  }
  if (const auto space = free_space(host)) {
    findings.push_back(check_space(*space, *facts));
  } else {
    findings.push_back(missing("volume", space.error()));
  }
  return findings;
}

}  // namespace evojail
