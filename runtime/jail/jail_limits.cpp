#include "jail/jail_limits.hpp"

#include <fmt/format.h>

#include "base/amount.hpp"
#include "jail/jail_rules.hpp"
#include "kernel/cgroup.hpp"

namespace evojail {
namespace {

/// nullopt: they are as they should be.
std::optional<std::string> apply_weights(const SupervisorOptions& options, const JailCgroup& cgroup,
                                         const CgroupWeights& wanted) {
  const bool cpu = cgroup.cpu_weight && *cgroup.cpu_weight != wanted.cpu;
  const bool io = cgroup.io_weight && *cgroup.io_weight != wanted.io;
  if (!cpu && !io) return std::nullopt;
  if (!options.set_weights) return "CPU_WEIGHT and IO_WEIGHT have no effect: nobody sets them here";
  const auto set = options.set_weights(wanted);
  if (set) return std::nullopt;
  return fmt::format("CPU_WEIGHT and IO_WEIGHT have no effect: {}", set.error().message());
}

std::string without_cgroup(const JailSettings& settings) {
  std::string text = "no cgroup was delegated: resource limits only";
  if (settings.memory_max > 0) {
    text += fmt::format(", MEMORY_MAX holds for each of at most {} and not for all together",
                        count_of(settings.max_processes, "process", "processes"));
  }
  return text + ", CPU_WEIGHT and IO_WEIGHT have no effect";
}

}  // namespace

Result<AppliedLimits> apply_limits(const SupervisorOptions& options, const JailSettings& settings) {
  TRY(auto cgroup, make_jail_cgroup(plan_cgroup(settings)));
  AppliedLimits applied;
  if (!cgroup) {
    applied.weaknesses.push_back(without_cgroup(settings));
    return applied;
  }
  if (!cgroup->io_weight) {
    applied.weaknesses.emplace_back(
        "IO_WEIGHT has no effect: the cgroup has no controller 'io' with weights");
  }
  if (auto weakness = apply_weights(options, *cgroup, plan_weights(settings))) {
    applied.weaknesses.push_back(std::move(*weakness));
  }
  applied.cgroup = std::move(cgroup->directory);
  return applied;
}

}  // namespace evojail
