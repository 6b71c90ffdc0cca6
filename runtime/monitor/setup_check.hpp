#pragma once

#include "config/host_settings.hpp"
#include "monitor/finding.hpp"

namespace evojail {

/// What this host lacks or has wrong, each with its cure. Needs root. Changes nothing.
[[nodiscard]] Findings check_setup(const HostSettings& host);

/// The parts of it, one a subject.
[[nodiscard]] Findings check_kernel();
[[nodiscard]] Findings check_clock(const HostSettings& host);
[[nodiscard]] Findings check_cgroup(const HostSettings& host);
[[nodiscard]] Findings check_volume(const HostSettings& host);
[[nodiscard]] Findings check_isolation(const HostSettings& host);
[[nodiscard]] Findings check_image(const HostSettings& host);
[[nodiscard]] Findings check_profiles(const HostSettings& host);
[[nodiscard]] Findings check_jails(const HostSettings& host);
[[nodiscard]] Findings check_firewall(const HostSettings& host);
[[nodiscard]] Findings check_units();

/// Whether `release`, as uname(2) gives it ("6.1.0-18-amd64"), is `major`.`minor` or later.
[[nodiscard]] bool is_kernel_at_least(const std::string& release, unsigned major, unsigned minor);

}  // namespace evojail
