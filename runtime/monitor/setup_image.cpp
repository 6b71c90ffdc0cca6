#include <fmt/format.h>

#include "base/file.hpp"
#include "config/profile_files.hpp"
#include "jail/base_image.hpp"
#include "jail/share_dir.hpp"
#include "kernel/profile_check.hpp"
#include "monitor/setup_check.hpp"

namespace evojail {
namespace {

Result<void> try_profile(const std::string& directory, const std::string& name) {
  TRY(const Profile profile, load_profile(directory, name));
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
  return {note("base image",
               fmt::format("older than this host's programs ({} files differ): jails miss their "
                           "security updates",
                           changes),
               "evojail update, then evojail restart all")};
}

Findings check_profiles() {
  const auto share = find_share_dir();
  if (!share) return {missing("profiles", share.error())};
  const std::string directory = *share + "/profiles";
  const auto names = list_profiles(directory);
  if (!names) return {missing("profiles", names.error())};
  Findings findings;
  std::string sound;
  for (const std::string& name : *names) {
    if (name == "base-image") continue;  // the manifest of the image lies beside the profiles
    if (const auto tried = try_profile(directory, name); !tried) {
      findings.push_back(missing("profiles", tried.error()));
    } else {
      sound += fmt::format("{}{}", sound.empty() ? "" : ", ", name);
    }
  }
  if (!sound.empty()) findings.insert(findings.begin(), good("profiles", sound));
  if (findings.empty()) {
    findings.push_back(missing("profiles", fmt::format("there are none in '{}'", directory),
                               "install evojail anew"));
  }
  return findings;
}

}  // namespace evojail
