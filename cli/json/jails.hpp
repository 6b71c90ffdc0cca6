#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/jail_settings.hpp"
#include "jail/host_keys.hpp"
#include "monitor/jail_status.hpp"

namespace evojail {

// What commands print with --json: one document each, schema_version first, times in UTC (RFC
// 3339), bytes and seconds as integers, null for what is not known.

[[nodiscard]] std::string names_json(const std::vector<std::string>& names);
[[nodiscard]] std::string keys_json(const std::string& name, const std::vector<std::string>& keys);
[[nodiscard]] std::string port_json(const std::string& name, std::uint16_t port);
[[nodiscard]] std::string allow_json(const std::string& name, const JailSettings& settings);
[[nodiscard]] std::string new_jail_json(const std::string& name, std::uint16_t port,
                                        const std::vector<HostKey>& host_keys);

/// A jail whose rules are in place.
struct OpenPort {
  std::string name;
  JailSettings settings;
};
[[nodiscard]] std::string firewall_json(const std::vector<OpenPort>& jails);
[[nodiscard]] std::string statuses_json(const std::vector<JailStatus>& jails);

}  // namespace evojail
