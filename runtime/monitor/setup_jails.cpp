#include <fmt/format.h>

#include <cstdint>
#include <map>

#include "base/directory.hpp"
#include "base/file.hpp"
#include "config/authorized_keys.hpp"
#include "config/check_policy.hpp"
#include "config/layout.hpp"
#include "jail/jail_rules.hpp"
#include "monitor/setup_check.hpp"
#include "retention/policy.hpp"
#include "store/jails.hpp"

namespace evojail {
namespace {

/// A file that may be missing, checked where it is there.
template <class Check>
Result<void> check_file(const std::string& path, Check check) {
  TRY(const bool there, has_path(path));
  if (!there) return {};
  TRY(const auto text, read_file(path));
  CHECK(check(text, path));
  return {};
}

/// @return its port.
Result<std::uint16_t> check_jail(const HostSettings& host, const std::string& name) {
  const JailPaths paths(host, name);
  TRY(const auto settings, load_jail(host, name));
  CHECK(load_profile(host, settings.profile));
  CHECK(check_file(paths.incs_policy, parse_policy));
  CHECK(load_check_policy(paths.check_policy));
  // No key yet is how a jail begins.
  CHECK(check_file(paths.authorized_keys, [](const std::string& text, const std::string& path) {
    return text.empty() ? Result<std::size_t>(0U) : check_authorized_keys(text, path);
  }));
  return settings.port;
}

/// Directories of JAILDIR that are chroots of bkctld's, by name.
std::string laid_out_by_bkctld(const HostSettings& host) {
  std::string names;
  const auto jails = open_directory(host.jaildir);
  if (!jails) return names;  // the volume's own findings say why
  const auto entries = list_directory(jails->get(), host.jaildir);
  if (!entries) return names;
  for (const std::string& entry : *entries) {
    const auto there = load_jail_text(host, entry);
    if (there || there.error().kind() != ErrorKind::layout_version) continue;
    names += (names.empty() ? "" : ", ") + entry;
  }
  return names;
}

}  // namespace

Findings check_jails(const HostSettings& host) {
  const auto names = list_jails(host);
  if (!names) return {missing("jails", names.error())};
  Findings findings;
  std::map<std::uint16_t, std::string> ports;
  for (const std::string& name : *names) {
    if (const auto checked = check_jail(host, name); !checked) {
      // Which jail it is, where that is not in a file's name.
      Error error = checked.error();
      if (!error.message().contains(fmt::format("/{}.d/", name))) {
        error = std::move(error).in(fmt::format("jail '{}'", name));
      }
      findings.push_back(missing("jails", error));
    } else if (const auto [other, free] = ports.emplace(*checked, name); !free) {
      findings.push_back(missing(
          "jails", fmt::format("'{}' and '{}' both have port {}", other->second, name, *checked),
          fmt::format("evojail port {} auto", name)));
    }
  }
  if (findings.empty()) {
    findings.push_back(good("jails", fmt::format("{}, settings sound", names->size())));
  }
  if (const std::string old = laid_out_by_bkctld(host); !old.empty()) {
    findings.push_back(note("jails",
                            fmt::format("bkctld's, which evojail neither starts nor takes incs of: "
                                        "{}",
                                        old),
                            "evojail(8) says how to move them over: MOVING FROM BKCTLD"));
  }
  return findings;
}

}  // namespace evojail
