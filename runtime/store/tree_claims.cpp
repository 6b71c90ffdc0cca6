#include "store/tree_claims.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <string>

#include "store/tree_directory.hpp"

namespace evojail {
namespace {

constexpr std::uint32_t kTick = 10'000'000;

/// No group's key starts with this letter.
std::string name_of(std::uint64_t inode) { return fmt::format("x{:x}", inode); }

}  // namespace

TreeClaims::TreeClaims(int dir, std::optional<TreeTime> began) : dir_(dir), began_(began) {
  if (!began_) return;
  // Stamps come from a clock that may be behind by a tick, 10 ms at the most (CONFIG_HZ=100).
  if (began_->nanoseconds < kTick) {
    --began_->seconds;
  } else {
    began_->nanoseconds -= kTick;
  }
}

bool TreeClaims::claim(int node) {
  struct statx before{};
  struct statx after{};
  if (stat_entry(node, "", before) != 0) return false;
  const std::uint64_t inode = before.stx_ino;
  const std::size_t bit = inode % kBits;
  bits_[bit / 64].fetch_or(std::uint64_t{1} << (bit % 64));
  // A link stamps the inode: one made in this run, by an owner, is seen here …
  if (stat_entry(node, "", before) != 0) return false;
  if (began_ && TreeTime(before.stx_ctime) >= *began_) return false;
  const std::string name = name_of(inode);
  if (::linkat(node, "", dir_, name.c_str(), AT_EMPTY_PATH) != 0) return false;
  // … and one made since by its count.
  if (stat_entry(node, "", after) == 0 && after.stx_nlink == before.stx_nlink + 1) return true;
  ::unlinkat(dir_, name.c_str(), 0);
  return false;
}

bool TreeClaims::claimed(std::uint64_t inode) const {
  const std::size_t bit = inode % kBits;
  if ((bits_[bit / 64].load() & (std::uint64_t{1} << (bit % 64))) == 0) return false;
  return ::faccessat(dir_, name_of(inode).c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

}  // namespace evojail
