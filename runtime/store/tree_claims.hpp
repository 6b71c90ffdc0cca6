#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "store/tree_record.hpp"

namespace evojail {

/// Keeps an inode of the base from being linked for two live inodes, which would come out as one
/// file with two names.
///
/// As a rule a base inode is linked for its owner, the live inode that the manifest names. A live
/// inode that the manifest does not know, but whose bytes are those of the base inode of the same
/// name, is a stranger: it may have the base inode if nobody else takes it in this inc. It says so
/// by a name in the directory of the hard-link groups, and an owner who finds such a name yields
/// and is copied. A bitmap of fixed size spares owners the look wherever there was no stranger.
class TreeClaims {
 public:
  /// `dir`: the directory of the groups, which stays the caller's. `began`: before the first link;
  /// nothing where there are no owners, since there is no manifest.
  TreeClaims(int dir, std::optional<TreeTime> began);

  /// Whether a stranger may have the base inode open at `node`.
  [[nodiscard]] bool claim(int node);

  /// Whether a stranger claimed the inode. An owner asks after linking: a stranger tells first and
  /// then looks whether it was linked meanwhile, so one of the two sees the other.
  [[nodiscard]] bool claimed(std::uint64_t inode) const;

 private:
  static constexpr std::size_t kBits = std::size_t{1} << 19;

  const int dir_;
  std::optional<TreeTime> began_;
  std::array<std::atomic<std::uint64_t>, kBits / 64> bits_{};
};

}  // namespace evojail
