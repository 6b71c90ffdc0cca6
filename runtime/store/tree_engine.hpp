#pragma once

#include "store/engine.hpp"
#include "store/volume.hpp"

namespace evojail {

/// Jails and incs are plain directories, on ext4 and xfs: the walkers of tree_inc.hpp and
/// tree_remove.hpp behind the interface of all engines.
class TreeEngine : public Engine {
 public:
  explicit TreeEngine(VolumeType type) : type_(type) {}

  [[nodiscard]] std::string_view name() const override { return "tree"; }
  [[nodiscard]] std::size_t parallel_builds() const override { return 1; }
  [[nodiscard]] bool keeps_manifests() const override { return true; }
  Result<void> make_jail_dir(int parent, const std::string& name) override;
  Result<BuildResult> build(const BuildRequest& request, const BuildProgress& progress) override;
  Result<std::string> identify(int dir) override;
  Result<bool> removes_in_one_step(int) override { return false; }
  Result<void> remove(int parent, const std::string& name, const RemoveProgress& progress) override;
  Result<std::optional<bool>> is_locked(int inc) override;
  Result<bool> set_locked(int inc, bool locked) override;
  Result<std::optional<bool>> written_since_taken(int inc) override;
  [[nodiscard]] bool syncs_volume() const override { return false; }
  Result<void> sync(std::span<const int> fds) override;

 private:
  VolumeType type_;
};

/// "inode-NUMBER-SECONDS.NANOSECONDS" of a directory and its birth. An inode number is given out
/// again after a removal, its birth time is not.
[[nodiscard]] Result<std::string> identify_by_inode(int dir);

/// remove_tree() where what is left behind is an error and a missing name is none.
[[nodiscard]] Result<void> remove_plain_tree(int parent, const std::string& name,
                                             const RemoveProgress& progress);

}  // namespace evojail
