#include "store/tree_record.hpp"

namespace evojail {
namespace {

bool is_directory(std::uint32_t mode) { return S_ISDIR(mode); }

}  // namespace

TreeRecord record_of(const struct statx& live) {
  TreeRecord record;
  record.live_inode = live.stx_ino;
  record.size = is_directory(live.stx_mode) ? 0 : live.stx_size;
  record.changed = TreeTime(live.stx_ctime);
  record.modified = TreeTime(live.stx_mtime);
  if ((live.stx_mask & STATX_BTIME) != 0) record.born = TreeTime(live.stx_btime);
  record.mode = live.stx_mode;
  record.uid = live.stx_uid;
  record.gid = live.stx_gid;
  record.device_major = live.stx_rdev_major;
  record.device_minor = live.stx_rdev_minor;
  record.links = live.stx_nlink;
  return record;
}

bool same_live(const TreeRecord& record, const struct statx& live) {
  const TreeRecord now = record_of(live);
  return record.live_inode == now.live_inode && record.changed == now.changed &&
         record.size == now.size && record.modified == now.modified && record.born == now.born &&
         record.mode == now.mode && record.uid == now.uid && record.gid == now.gid &&
         record.device_major == now.device_major && record.device_minor == now.device_minor &&
         record.links == now.links;
}

bool same_inc(const TreeRecord& record, const struct statx& inc) {
  return record.inc_inode == inc.stx_ino && record.mode == inc.stx_mode &&
         record.uid == inc.stx_uid && record.gid == inc.stx_gid &&
         (is_directory(record.mode) || record.size == inc.stx_size) &&
         record.modified == TreeTime(inc.stx_mtime) && record.device_major == inc.stx_rdev_major &&
         record.device_minor == inc.stx_rdev_minor;
}

bool same_metadata(const struct statx& one, const struct statx& other) {
  return one.stx_mode == other.stx_mode && one.stx_uid == other.stx_uid &&
         one.stx_gid == other.stx_gid && one.stx_size == other.stx_size &&
         TreeTime(one.stx_mtime) == TreeTime(other.stx_mtime) &&
         one.stx_rdev_major == other.stx_rdev_major && one.stx_rdev_minor == other.stx_rdev_minor;
}

bool same_moment(const struct statx& before, const struct statx& after) {
  return same_live(record_of(before), after);
}

}  // namespace evojail
