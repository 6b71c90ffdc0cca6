#include "store/engine.hpp"

#include <utility>

#include "store/btrfs_engine.hpp"
#include "store/tree_engine.hpp"
#include "store/volume.hpp"

namespace evojail {

void SyncSet::add(Fd fd) {
  const std::lock_guard lock(mutex_);
  if (fds_.empty() || !engine_.syncs_volume()) fds_.push_back(std::move(fd));
}

Result<void> SyncSet::sync() {
  std::vector<int> plain;
  for (const Fd& fd : fds_) plain.push_back(fd.get());
  auto done = engine_.sync(plain);
  fds_.clear();
  return done;
}

Result<std::unique_ptr<Engine>> make_engine(int dir, const std::string& path) {
  TRY(const Volume volume, inspect_volume(dir, path));
  if (volume.type == VolumeType::btrfs) return std::make_unique<BtrfsEngine>();
  return std::make_unique<TreeEngine>(volume.type);
}

}  // namespace evojail
