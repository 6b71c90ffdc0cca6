#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/profile.hpp"
#include "kernel/seccomp.hpp"

namespace evojail::test {

/// A profile of the source tree: "default", "sftp". A broken one throws std::runtime_error.
[[nodiscard]] Profile shipped_profile(std::string_view name);

/// The filter, or std::runtime_error with the message.
[[nodiscard]] Filter compiled(const Profile& profile, const FilterOptions& options = {});

/// AUDIT_ARCH_* of the processor.
[[nodiscard]] std::uint32_t audit_architecture(Architecture architecture);

/// The number of the call there; negative where the processor has none, -1 where no processor has.
[[nodiscard]] int syscall_number(std::string_view name, Architecture architecture);

/// The inverse; empty where no call has this number.
[[nodiscard]] std::string syscall_name(std::uint32_t number, Architecture architecture);

}  // namespace evojail::test
