#include "support/profiles.hpp"

#include <linux/audit.h>
#include <seccomp.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "config/profile_files.hpp"

namespace evojail::test {
namespace {

template <class T>
T value_or_throw(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message());
  return *std::move(result);
}

std::uint32_t scmp_architecture(Architecture architecture) {
  return architecture == Architecture::x86_64 ? SCMP_ARCH_X86_64 : SCMP_ARCH_AARCH64;
}

}  // namespace

Profile shipped_profile(std::string_view name) {
  return value_or_throw(load_profile(EVOJAIL_PROFILES, name));
}

Filter compiled(const Profile& profile, const FilterOptions& options) {
  return value_or_throw(compile_filter(profile, options));
}

std::uint32_t audit_architecture(Architecture architecture) {
  return architecture == Architecture::x86_64 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_AARCH64;
}

int syscall_number(std::string_view name, Architecture architecture) {
  return seccomp_syscall_resolve_name_arch(scmp_architecture(architecture),
                                           std::string(name).c_str());
}

std::string syscall_name(std::uint32_t number, Architecture architecture) {
  const std::unique_ptr<char, decltype(&std::free)> name(
      seccomp_syscall_resolve_num_arch(scmp_architecture(architecture), static_cast<int>(number)),
      &std::free);
  return name ? name.get() : "";
}

}  // namespace evojail::test
