#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/file.hpp"
#include "base/parse.hpp"
#include "monitor/setup_check.hpp"

namespace evojail {
namespace {

constexpr const char* kControllers = "/sys/fs/cgroup/cgroup.controllers";
constexpr const char* kWithout =
    "jails run with resource limits (rlimits) alone; one that hogs memory, CPU or disk is felt by "
    "the others";

}  // namespace

Findings check_cgroup() {
  const auto text = read_file(kControllers);
  if (!text) {
    return {note("cgroup",
                 fmt::format("there is no cgroup v2 hierarchy at /sys/fs/cgroup: {}", kWithout),
                 "boot with systemd.unified_cgroup_hierarchy=1, Debian's default")};
  }
  const auto there = split_words(trim(*text));
  std::string lacking;
  for (const std::string_view controller : {"cpu", "io", "memory", "pids"}) {
    if (std::ranges::find(there, controller) == there.end()) {
      lacking += fmt::format("{}{}", lacking.empty() ? "" : ", ", controller);
    }
  }
  if (!lacking.empty()) {
    return {note("cgroup", fmt::format("not delegated: {}; {}", lacking, kWithout),
                 "enable them in the kernel, or give this container its controllers")};
  }
  return {good("cgroup", "cpu, io, memory and pids can be limited")};
}

}  // namespace evojail
