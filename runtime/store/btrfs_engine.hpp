#pragma once

#include <cstdint>

#include "store/engine.hpp"

namespace evojail {

/// When what happened to a subvolume, in the file system's transactions and in seconds since the
/// epoch. Not its generation: a balance moves the blocks of the tree and leaves a new one.
struct SubvolumeHistory {
  std::uint64_t changed = 0;   ///< one of its inodes, last
  std::uint64_t made = 0;      ///< the subvolume
  std::uint64_t received = 0;  ///< btrfs-receive(8) was done with it; 0: it is no replica
  std::int64_t changed_at = 0;
  std::int64_t received_at = 0;
};

/// Whether somebody wrote to a snapshot, or to a replica of one, since it was made.
[[nodiscard]] bool was_written(const SubvolumeHistory& history);

/// Jails are subvolumes, incs their read-only snapshots. A snapshot is one step of the file system,
/// and snapshots that are begun together share a commit as long as each lands in a directory of its
/// own (the kernel holds the directory's lock until the commit is over).
class BtrfsEngine : public Engine {
 public:
  [[nodiscard]] std::string_view name() const override { return "btrfs"; }
  /// Of 500 jails all begin together, on a busy machine too: 256 threads that take two jails each
  /// come back one by one there, and need up to three times the commits.
  [[nodiscard]] std::size_t parallel_builds() const override { return 512; }
  [[nodiscard]] bool keeps_manifests() const override { return false; }
  Result<void> make_jail_dir(int parent, const std::string& name) override;
  Result<BuildResult> build(const BuildRequest& request, const BuildProgress& progress) override;
  Result<std::string> identify(int dir) override;
  Result<bool> removes_in_one_step(int inc) override;
  Result<void> remove(int parent, const std::string& name, const RemoveProgress& progress) override;
  Result<std::optional<bool>> is_locked(int inc) override;
  Result<bool> set_locked(int inc, bool locked) override;
  Result<std::optional<bool>> written_since_taken(int inc) override;
  [[nodiscard]] bool syncs_volume() const override { return true; }
  Result<void> sync(std::span<const int> fds) override;
};

}  // namespace evojail
