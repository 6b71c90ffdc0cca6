#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/parse.hpp"
#include "config/layout.hpp"
#include "jail/control_client.hpp"
#include "jail/notify.hpp"
#include "kernel/cgroup.hpp"
#include "monitor/setup_check.hpp"
#include "store/jails.hpp"

namespace evojail {
namespace {

constexpr const char* kControllers = "/sys/fs/cgroup/cgroup.controllers";
constexpr const char* kWithout =
    "jails run with resource limits (rlimits) alone; one that hogs memory, CPU or disk is felt by "
    "the others";

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

/// What this host has at all.
Findings check_controllers() {
  const auto text = read_file(kControllers);
  if (!text) {
    return {note("cgroup",
                 fmt::format("there is no cgroup v2 hierarchy at /sys/fs/cgroup: {}", kWithout),
                 "boot with systemd.unified_cgroup_hierarchy=1, Debian's default")};
  }
  const auto there = split_words(trim(*text));
  std::vector<std::string> lacking;
  for (const std::string_view controller : {"cpu", "io", "memory", "pids"}) {
    if (std::ranges::find(there, controller) == there.end()) lacking.emplace_back(controller);
  }
  if (lacking.empty()) return {};
  return {note("cgroup", fmt::format("this host lacks: {}; {}", joined(lacking), kWithout),
               "enable them in the kernel, or give this container its controllers")};
}

/// What the jails that run have been handed. What is there and what a unit gets are two things.
Findings check_delegation(const HostSettings& host) {
  Findings findings;
  const auto names = list_jails(host);
  if (!names) return findings;
  for (const auto& name : *names) {
    const auto status = ask_status(JailPaths(host, name));
    if (!status || !*status) continue;
    const auto missing = missing_controllers((*status)->init);
    if (missing.empty()) continue;
    findings.push_back(
        note("cgroup", fmt::format("'{}' runs without: {}", name, joined(missing)),
             "have systemd run it (evojail restart) from evojail@.service with Delegate=yes"));
  }
  return findings;
}

}  // namespace

Findings check_cgroup(const HostSettings& host) {
  if (auto lacking = check_controllers(); !lacking.empty()) return lacking;
  if (!systemd_is_running()) {
    return {note("cgroup",
                 fmt::format("nobody delegates a cgroup: systemd is not PID 1; {}", kWithout),
                 "boot with systemd, or give each jail a cgroup with the xattr user.delegate")};
  }
  if (auto without = check_delegation(host); !without.empty()) return without;
  return {
      good("cgroup", "cpu, io, memory and pids can be limited, and are in every jail that runs")};
}

}  // namespace evojail
