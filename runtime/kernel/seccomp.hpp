#pragma once

#include <cstdint>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "config/profile.hpp"

namespace evojail {

/// One instruction of classic BPF, laid out as struct sock_filter (bpf(4), linux/filter.h).
struct FilterInstruction {
  std::uint16_t code = 0;
  std::uint8_t jump_true = 0;
  std::uint8_t jump_false = 0;
  std::uint32_t operand = 0;

  bool operator==(const FilterInstruction&) const = default;
};
static_assert(sizeof(FilterInstruction) == 8);

/// A compiled seccomp filter. Its bytes mean the same in every process of one machine: a filter can
/// be compiled in one process and installed in another.
struct Filter {
  std::vector<FilterInstruction> program;

  bool operator==(const Filter&) const = default;
};

/// The processor this program was built for.
[[nodiscard]] Architecture native_architecture();

struct FilterOptions {
  /// char and block mknod/mknodat are let through, because a filter below (mknod_notify_filter())
  /// sends them to the supervisor. Stacked filters are all run and the most restrictive answer wins
  /// (seccomp(2)): an EPERM here would keep the notification from ever being sent.
  bool notify_mknod = false;
  Architecture architecture = native_architecture();
  /// libseccomp's binary tree in place of its list of comparisons.
  bool binary_tree = true;
};

/// Compiles the profile's system calls with libseccomp. Names that exist on another processor of
/// the profile only are passed over; a name that exists on none is an error with the profile's file
/// and line.
///
/// Numbers above `newest_syscall`, and numbers below it that name no call on this processor, get
/// ENOSYS, whatever the version of libseccomp: a program that tries a call newer than the profile
/// falls back. Other ABIs (i386, x32) kill the process.
[[nodiscard]] Result<Filter> compile_filter(const Profile& profile,
                                            const FilterOptions& options = {});

/// The filter that init installs on itself once: mknod and mknodat of a character or block device
/// become a notification (seccomp_unotify(2)), everything else is allowed. A jail's sessions
/// inherit it, so one listener serves them all.
[[nodiscard]] Result<Filter> mknod_notify_filter(Architecture architecture = native_architecture());

/// Puts the filter on the calling thread, for good (seccomp(2), SECCOMP_SET_MODE_FILTER). Needs
/// no_new_privs or CAP_SYS_ADMIN in the caller's user namespace.
[[nodiscard]] Result<void> install_filter(const Filter& filter);

/// The same for a filter that notifies; returns the listener.
/// SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (Linux 5.19): once the notification was received, only a
/// fatal signal interrupts the caller.
[[nodiscard]] Result<Fd> install_filter_with_listener(const Filter& filter);

}  // namespace evojail
