#include <fmt/format.h>

#include "base/amount.hpp"
#include "base/file.hpp"
#include "config/profile_files.hpp"
#include "jail/base_image.hpp"
#include "jail/jail_rules.hpp"
#include "kernel/profile_check.hpp"
#include "monitor/setup_check.hpp"

namespace evojail {
namespace {

Result<void> try_profile(const std::string& file) {
  TRY(const Profile profile, load_profile_file(file));
  CHECK(check_profile(profile));
  return {};
}

}  // namespace

Findings check_image(const HostSettings& host) {
  const auto state = base_image_state(host);
  if (!state) return {missing("base image", state.error())};
  if (state->current.empty()) {
    return {good("base image",
                 "sshd, rsync and the rest are here; the image is built by the first "
                 "'evojail init'")};
  }
  if (!state->stale()) return {good("base image", fmt::format("{}, up to date", state->current))};
  const std::size_t changes =
      state->changes.added.size() + state->changes.removed.size() + state->changes.changed.size();
  return {
      note("base image",
           fmt::format("older than this host's programs (by {}): jails miss their security updates",
                       count_of(changes, "file")),
           "evojail update, then evojail restart all")};
}

Findings check_profiles(const HostSettings& host) {
  const auto profiles = find_profiles(host);
  if (!profiles) return {missing("profiles", profiles.error())};
  Findings findings;
  std::string sound;
  for (const auto& [name, file] : *profiles) {
    if (const auto tried = try_profile(file); !tried) {
      findings.push_back(missing("profiles", tried.error()));
    } else {
      sound += fmt::format("{}{}", sound.empty() ? "" : ", ", name);
    }
  }
  if (!sound.empty()) findings.insert(findings.begin(), good("profiles", sound));
  if (findings.empty()) {
    findings.push_back(missing("profiles", "there are none", "install evojail anew"));
  }
  return findings;
}

}  // namespace evojail
