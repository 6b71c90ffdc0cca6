#include "store/tree_groups.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace evojail {

Result<TreeGroups> TreeGroups::create(int inc, const std::string& name) {
  if (::mkdirat(inc, name.c_str(), 0700) != 0) return fail_errno("making directory", name);
  TRY(Fd dir, open_beneath(inc, name, O_RDONLY | O_DIRECTORY));
  return TreeGroups(std::move(dir));
}

std::string TreeGroups::key(const struct statx& live) {
  return fmt::format("{:x}-{:x}.{:x}-{:x}.{:x}-{:x}-{:x}.{:x}", live.stx_ino, live.stx_btime.tv_sec,
                     live.stx_btime.tv_nsec, live.stx_ctime.tv_sec, live.stx_ctime.tv_nsec,
                     live.stx_size, live.stx_mtime.tv_sec, live.stx_mtime.tv_nsec);
}

TreeGroups::Turn::Turn(TreeGroups& groups, std::string key)
    : groups_(groups), key_(std::move(key)) {
  auto& turns = *groups_.turns_;
  std::unique_lock lock(turns.mutex);
  turns.left.wait(lock, [&] { return std::ranges::find(turns.taken, key_) == turns.taken.end(); });
  turns.taken.push_back(key_);
}

TreeGroups::Turn::~Turn() {
  auto& turns = *groups_.turns_;
  {
    const std::lock_guard lock(turns.mutex);
    std::erase(turns.taken, key_);
  }
  turns.left.notify_all();
}

int TreeGroups::Turn::link_to(int dir, const char* name) {
  const int from = groups_.dir_.get();
  if (::linkat(from, key_.c_str(), dir, name, 0) == 0) return 0;
  if (errno != EMLINK) return errno;
  return ::renameat2(from, key_.c_str(), dir, name, RENAME_NOREPLACE) == 0 ? 0 : errno;
}

int TreeGroups::Turn::publish(int dir, const char* name) {
  if (::linkat(dir, name, groups_.dir_.get(), key_.c_str(), 0) == 0) return 0;
  // EMLINK: all of its names are there. EEXIST: an older copy under the same key stays.
  return errno == EMLINK || errno == EEXIST ? 0 : errno;
}

}  // namespace evojail
