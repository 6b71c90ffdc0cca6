#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "store/tree_clock.hpp"
#include "store/tree_measure.hpp"
#include "store/tree_report.hpp"

namespace evojail {

/// The inc that a new one is built on: the newest that holds all that could be read.
struct TreeBase {
  int inc_dir_fd = -1;  ///< its root directory
  int manifest_fd =
      -1;  ///< its manifest, open for reading; -1: there is none, so bytes are compared
};

/// Asked before data is written, with the number of bytes that are about to be; an error ends the
/// inc. Where there is no base it is asked for all of them first, before anything is made, and
/// then, as always, along the way. Called from the walk's threads, one at a time.
using TreeSpaceGuard = std::function<Result<void>(std::uint64_t bytes)>;

/// Asked with the size of the trees before an inc without a base, which copies all of it, is begun.
using TreeFirstGuard = std::function<Result<void>(const TreeSize& size)>;

struct TreeIncRequest {
  int jail_dir_fd = -1;        ///< holds data/ and var/, the live trees
  int inc_parent_fd = -1;      ///< the directory of this jail's incs, on the same volume
  std::string temporary_name;  ///< made in it; must not exist
  std::optional<TreeBase> base;

  int manifest_dir_fd = -1;   ///< where the new manifest goes, on the same volume
  std::string manifest_name;  ///< must not exist

  /// Whether a session is open, or was since the question before: stamps of the last minute prove
  /// nothing then (rule 4). Asked right before T and again after the walk; without it one may be.
  std::function<bool()> sessions_open{};
  /// Boots since which the jail was always stopped in good order before the machine went down. A
  /// base from another boot than these and the present one is compared byte by byte, once (rule 6).
  std::span<const BootId> clean_boots{};
  /// xfs: contents are shared by FICLONE; where that fails the inc fails.
  bool reflink_required = false;
  unsigned threads = 0;  ///< 0: as many as there are processors, at least 2, at most 8

  TreeProgressCallback progress;
  TreeProgressCallback measuring;  ///< the same while a first inc's trees are measured
  TreeSpaceGuard space_guard;
  TreeFirstGuard first_guard;
};

struct TreeIncOutcome {
  std::uint64_t directories = 0;
  std::uint64_t linked = 0;    ///< names linked to an inode of the base
  std::uint64_t copied = 0;    ///< inodes copied
  std::uint64_t grouped = 0;   ///< further names of an inode that this inc has already
  std::uint64_t compared = 0;  ///< inodes whose bytes were read on both sides
  std::uint64_t bytes_copied = 0;
  std::uint64_t bytes_compared = 0;
  bool partial = false;  ///< something could not be read, or changed while it was read
  std::uint64_t trouble_count = 0;
  std::vector<TreeTrouble> troubles;  ///< the first hundred
};

/// Takes a dated copy of the live trees of a jail below `inc_parent_fd/temporary_name`: no inode is
/// shared with the live side, and what the base's manifest proves unchanged is one link to the
/// base's inode. When it returns without error the copy and its manifest are on disk, and the
/// caller gives it its final name; after an error both may be left half-made for remove_tree() and
/// unlink(2).
///
/// The caller holds the jail's store lock. The live side is hostile and may change at any time;
/// nothing outside `jail_dir_fd` is opened, read or linked, whatever it does.
[[nodiscard]] Result<TreeIncOutcome> take_tree_inc(const TreeIncRequest& request);

}  // namespace evojail
