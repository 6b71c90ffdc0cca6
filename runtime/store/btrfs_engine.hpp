#pragma once

#include "store/engine.hpp"

namespace evojail {

/// Jails are subvolumes, incs their read-only snapshots. A snapshot is one step of the file system,
/// and snapshots that are begun together share a commit as long as each lands in a directory of its
/// own (the kernel holds the directory's lock until the commit is over).
class BtrfsEngine : public Engine {
 public:
  [[nodiscard]] std::string_view name() const override { return "btrfs"; }
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
