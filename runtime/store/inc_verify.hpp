#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "store/tree_verify.hpp"

namespace evojail {

/// What could be said of an inc that was looked at again.
struct IncVerification {
  enum class Proof {
    snapshot,  ///< btrfs: whether the snapshot has been written to since it was taken
    manifest,  ///< ext4, xfs: each inode against what the inc's manifest says
    none,      ///< neither: an older tree inc, whose manifest is no longer kept, or a foreign one
  };
  Proof proof = Proof::none;
  bool unchanged = false;             ///< nothing differs; false with Proof::none
  std::vector<std::string> troubles;  ///< what differs, for people
  VerifyOutcome tree;                 ///< the counts of Proof::manifest
};

/// Whether an inc is still what was taken. Reads only, and takes no lock: an inc does not change.
/// @param options what verify_tree_inc() is to do where there is a manifest.
[[nodiscard]] Result<IncVerification> verify_inc(const HostSettings& host, const std::string& name,
                                                 const std::string& inc,
                                                 const VerifyOptions& options = {});

}  // namespace evojail
