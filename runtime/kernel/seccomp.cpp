#include "kernel/seccomp.hpp"

#include <fmt/format.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "kernel/seccomp_guard.hpp"

namespace evojail {
namespace {

struct ReleaseContext {
  void operator()(void* context) const noexcept { seccomp_release(context); }
};
using Context = std::unique_ptr<void, ReleaseContext>;

constexpr std::array kDeviceTypes{std::uint64_t{S_IFCHR}, std::uint64_t{S_IFBLK}};

/// x32 shares x86_64's AUDIT_ARCH and sets this bit; those numbers are left to libseccomp, which
/// kills.
constexpr std::uint32_t kX32Bit = 0x40000000;

std::uint32_t scmp_architecture(Architecture architecture) {
  return architecture == Architecture::x86_64 ? SCMP_ARCH_X86_64 : SCMP_ARCH_AARCH64;
}

/// libseccomp returns -errno and leaves errno alone.
std::unexpected<Error> fail_seccomp(std::string_view operation, std::string_view object,
                                    int result) {
  return fail_errno(operation, object, -result);
}

std::uint32_t scmp_action(SeccompAction action, std::uint16_t error) {
  switch (action) {
    case SeccompAction::allow:
      return SCMP_ACT_ALLOW;
    case SeccompAction::error:
      return SCMP_ACT_ERRNO(error);
    case SeccompAction::kill_process:
      return SCMP_ACT_KILL_PROCESS;
    case SeccompAction::trap:
      return SCMP_ACT_TRAP;
    case SeccompAction::log:
      return SCMP_ACT_LOG;
  }
  return SCMP_ACT_KILL_PROCESS;
}

scmp_compare scmp_operator(SeccompOperator op) {
  switch (op) {
    case SeccompOperator::not_equal:
      return SCMP_CMP_NE;
    case SeccompOperator::less:
      return SCMP_CMP_LT;
    case SeccompOperator::less_equal:
      return SCMP_CMP_LE;
    case SeccompOperator::equal:
      return SCMP_CMP_EQ;
    case SeccompOperator::greater_equal:
      return SCMP_CMP_GE;
    case SeccompOperator::greater:
      return SCMP_CMP_GT;
    case SeccompOperator::masked_equal:
      return SCMP_CMP_MASKED_EQ;
  }
  return SCMP_CMP_EQ;
}

Result<Context> new_context(std::uint32_t default_action, Architecture architecture,
                            bool binary_tree) {
  // The running kernel's features are not asked: a filter can be compiled for another processor,
  // and the kernel that lacks an action refuses the program when it is installed. Level 6 has all
  // we use.
  if (const int set = seccomp_api_set(6); set < 0)
    return fail_seccomp("setting", "libseccomp's API level", set);
  Context context(seccomp_init(default_action));
  if (!context) return fail("preparing a seccomp filter: libseccomp refused the default action");
  const std::uint32_t wanted = scmp_architecture(architecture);
  if (wanted != seccomp_arch_native()) {
    if (const int added = seccomp_arch_add(context.get(), wanted); added < 0) {
      return fail_seccomp("adding an architecture to", "a seccomp filter", added);
    }
    if (const int removed = seccomp_arch_remove(context.get(), seccomp_arch_native());
        removed < 0) {
      return fail_seccomp("removing an architecture from", "a seccomp filter", removed);
    }
  }
  if (const int set =
          seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
      set < 0) {
    return fail_seccomp("setting the action for foreign architectures of", "a seccomp filter", set);
  }
  if (const int set =
          seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, binary_tree ? 2 : 1);
      set < 0) {
    return fail_seccomp("setting the optimisation of", "a seccomp filter", set);
  }
  return context;
}

/// The number of the call there; negative where that processor has no such call.
int resolve(std::string_view name, Architecture architecture) {
  return seccomp_syscall_resolve_name_arch(scmp_architecture(architecture),
                                           std::string(name).c_str());
}

Result<void> check_name(const Profile& profile, const SyscallName& name) {
  for (const Architecture architecture : profile.architectures) {
    if (resolve(name.name, architecture) >= 0) return {};
  }
  return fail(fmt::format("{}:{}: unknown system call '{}'", profile.file, name.line, name.name));
}

Result<void> add_rule(void* context, const std::string& name, std::uint32_t action,
                      const std::vector<scmp_arg_cmp>& comparisons) {
  // Rules are given with the number that the call has on this machine; libseccomp translates.
  const int number = seccomp_syscall_resolve_name(name.c_str());
  const int added = seccomp_rule_add_array(
      context, action, number, static_cast<unsigned>(comparisons.size()), comparisons.data());
  if (added < 0) return fail_seccomp("adding a seccomp rule for", name, added);
  return {};
}

Result<void> add_group(void* context, const Profile& profile, const SyscallGroup& group,
                       Architecture architecture) {
  const std::uint32_t action = scmp_action(group.action, group.error);
  std::vector<scmp_arg_cmp> comparisons;
  comparisons.reserve(group.arguments.size());
  for (const SeccompArgument& argument : group.arguments) {
    comparisons.push_back({.arg = argument.index,
                           .op = scmp_operator(argument.op),
                           .datum_a = argument.value,
                           .datum_b = argument.value_two});
  }
  for (const SyscallName& name : group.names) {
    CHECK(check_name(profile, name));
    // libseccomp refuses rules that only repeat the default.
    if (action == scmp_action(profile.default_action, profile.default_error)) continue;
    if (resolve(name.name, architecture) < 0) continue;
    if (auto added = add_rule(context, name.name, action, comparisons); !added) {
      return std::unexpected(
          std::move(added).error().in(fmt::format("{}:{}", profile.file, name.line)));
    }
  }
  return {};
}

/// mknod(path, mode, dev), mknodat(dir, path, mode, dev): the kernel reads 16 bits of mode.
Result<void> add_device_nodes(void* context, std::uint32_t action, Architecture architecture) {
  for (const std::uint64_t type : kDeviceTypes) {
    for (const auto& [name, mode_index] : {std::pair{"mknod", 1U}, std::pair{"mknodat", 2U}}) {
      if (resolve(name, architecture) < 0) continue;
      CHECK(add_rule(
          context, name, action,
          {{.arg = mode_index, .op = SCMP_CMP_MASKED_EQ, .datum_a = S_IFMT, .datum_b = type}}));
    }
  }
  return {};
}

Result<Filter> export_filter(void* context) {
  const Fd file(memfd_create("seccomp", MFD_CLOEXEC));
  if (!file) return fail_errno("making a memory file for", "a seccomp filter");
  if (const int exported = seccomp_export_bpf(context, file.get()); exported < 0) {
    return fail_seccomp("compiling", "a seccomp filter", exported);
  }
  if (lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno("rewinding", "a seccomp filter");
  TRY(const std::string bytes, read_all(file.get(), "a seccomp filter", 1 << 20));
  if (bytes.empty() || bytes.size() % sizeof(FilterInstruction) != 0) {
    return fail(fmt::format("compiling a seccomp filter: {} bytes are no program", bytes.size()));
  }
  Filter filter;
  filter.program.resize(bytes.size() / sizeof(FilterInstruction));
  std::memcpy(filter.program.data(), bytes.data(), bytes.size());
  return filter;
}

bool has_call(std::uint32_t number, Architecture architecture) {
  const std::unique_ptr<char, decltype(&std::free)> name(
      seccomp_syscall_resolve_num_arch(scmp_architecture(architecture), static_cast<int>(number)),
      &std::free);
  return name != nullptr;
}

/// What the profile does not know: the holes in the processor's table, and everything behind the
/// newest.
SyscallRanges missing_calls(std::uint32_t newest, Architecture architecture) {
  SyscallRanges ranges;
  for (std::uint32_t number = 0; number <= newest; ++number) {
    if (has_call(number, architecture)) continue;
    if (!ranges.empty() && ranges.back().second + 1 == number) {
      ranges.back().second = number;
    } else {
      ranges.emplace_back(number, number);
    }
  }
  ranges.emplace_back(newest + 1, kX32Bit - 1);
  return ranges;
}

/// seccomp(2): BPF_MAXINSNS.
constexpr std::size_t kMaxInstructions = 4096;

}  // namespace

Architecture native_architecture() {
#if defined(__x86_64__)
  return Architecture::x86_64;
#elif defined(__aarch64__)
  return Architecture::aarch64;
#else
#error "evojail has profiles for x86_64 and aarch64 only"
#endif
}

Result<Filter> compile_filter(const Profile& profile, const FilterOptions& options) {
  if (std::ranges::find(profile.architectures, options.architecture) ==
      profile.architectures.end()) {
    return fail(fmt::format("{}: the profile has no rules for this processor", profile.file));
  }
  const int newest = resolve(profile.newest_syscall.name, options.architecture);
  if (newest < 0) {
    return fail(fmt::format("{}:{}: '{}' is no system call of this processor", profile.file,
                            profile.newest_syscall.line, profile.newest_syscall.name));
  }
  TRY(const Context context, new_context(scmp_action(profile.default_action, profile.default_error),
                                         options.architecture, options.binary_tree));
  for (const SyscallGroup& group : profile.syscalls) {
    CHECK(add_group(context.get(), profile, group, options.architecture));
  }
  if (options.notify_mknod) {
    CHECK(add_device_nodes(context.get(), SCMP_ACT_ALLOW, options.architecture));
  }
  TRY(const Filter rules, export_filter(context.get()));

  Filter filter;
  filter.program = missing_syscall_guard(
      options.architecture == Architecture::x86_64 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_AARCH64,
      missing_calls(static_cast<std::uint32_t>(newest), options.architecture));
  filter.program.insert(filter.program.end(), rules.program.begin(), rules.program.end());
  if (filter.program.size() > kMaxInstructions) {
    return fail(fmt::format("{}: {} instructions are more than a seccomp filter can have ({})",
                            profile.file, filter.program.size(), kMaxInstructions));
  }
  return filter;
}

Result<Filter> mknod_notify_filter(Architecture architecture) {
  TRY(const Context context, new_context(SCMP_ACT_ALLOW, architecture, /*binary_tree=*/false));
  CHECK(add_device_nodes(context.get(), SCMP_ACT_NOTIFY, architecture));
  return export_filter(context.get());
}

}  // namespace evojail
