#include "jail/launch_plan.hpp"

#include "base/pack.hpp"

namespace evojail {
namespace {

/// One list for both directions. An upgrade may put another init beside a supervisor that starts at
/// that moment: a change of the list, or of what comes with it, is a change of
/// the number.
constexpr std::uint32_t format = 2;

template <class Plan, class Each>
bool for_each_value(Plan& plan, const Each& each) {
  return each(plan.name) && each(plan.base_image) && each(plan.ssh_dir) && each(plan.root_home) &&
         each(plan.data) && each(plan.var) && each(plan.base_uid) && each(plan.processes) &&
         each(plan.tmp_size) && each(plan.run_size) && each(plan.mounts) &&
         each(plan.capabilities) && each(plan.mknod_filter.program);
}

}  // namespace

std::string encode(const LaunchPlan& plan) {
  Packer packer;
  packer.put(format);
  for_each_value(plan, [&](const auto& value) {
    packer.put(value);
    return true;
  });
  return std::move(packer).take();
}

Result<LaunchPlan> decode_launch_plan(std::string_view bytes) {
  LaunchPlan plan;
  Unpacker unpacker(bytes);
  std::uint32_t its_format = 0;
  if (!unpacker.take(its_format) || its_format != format) {
    return std::unexpected(Error("the jail's init belongs to another version of evojail")
                               .hint("install evojail again, then start the jail"));
  }
  if (!for_each_value(plan, [&](auto& value) { return unpacker.take(value); }) ||
      !unpacker.done()) {
    return fail("the plan of a launch is malformed");
  }
  return plan;
}

}  // namespace evojail
