#pragma once

#include <sys/stat.h>

#include <compare>
#include <cstddef>
#include <cstdint>

namespace evojail {

/// A time as statx(2) gives it.
struct TreeTime {
  std::int64_t seconds = 0;
  std::uint32_t nanoseconds = 0;

  TreeTime() = default;
  TreeTime(std::int64_t s, std::uint32_t ns) : seconds(s), nanoseconds(ns) {}
  explicit TreeTime(const statx_timestamp& time)
      : seconds(time.tv_sec), nanoseconds(time.tv_nsec) {}
  auto operator<=>(const TreeTime&) const = default;
};

/// A manifest's entry: one live inode as it was when it was copied, and the inode of the inc that
/// holds its copy (rule 3). Directories have entries too, for verify; nothing is ever linked to
/// one.
struct TreeRecord {
  enum : std::uint32_t {
    kTrusted = 1,  ///< rule 4: as long as the live fields stay as they are, so do the contents
    kDigest = 2,   ///< `digest` holds
  };

  std::uint64_t live_inode = 0;
  std::uint64_t inc_inode = 0;
  std::uint64_t size = 0;
  std::uint64_t digest = 0;  ///< ContentsDigest
  TreeTime changed;          ///< ctime of the live inode
  TreeTime modified;
  TreeTime born;  ///< zero where the file system keeps none (ext4 inodes of 128 bytes)
  std::uint32_t mode = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::uint32_t links = 0;  ///< of the live inode
  std::uint32_t names = 1;  ///< how many names of the inc this inode has
  std::uint32_t flags = 0;
  std::uint32_t generation = 0;  ///< of the inc's inode, directories only: see tree_handle.hpp

  [[nodiscard]] bool trusted() const { return (flags & kTrusted) != 0; }
};

/// A record of the live inode, without what only the copy tells.
[[nodiscard]] TreeRecord record_of(const struct statx& live);

/// Whether the live inode is in every field as recorded (rule 5).
[[nodiscard]] bool same_live(const TreeRecord& record, const struct statx& live);

/// Whether an inode of an inc is the recorded one and still as it was made: number, type, mode,
/// owner, size, modification time, device number. Link count and ctime change with each inc.
[[nodiscard]] bool same_inc(const TreeRecord& record, const struct statx& inc);

/// Whether two inodes agree in what a copy keeps, so that only contents and attributes are left to
/// compare.
[[nodiscard]] bool same_metadata(const struct statx& one, const struct statx& other);

/// Whether nothing happened to an inode between two looks at it.
[[nodiscard]] bool same_moment(const struct statx& before, const struct statx& after);

}  // namespace evojail
