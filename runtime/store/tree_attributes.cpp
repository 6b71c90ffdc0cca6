#include "store/tree_attributes.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/limits.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace evojail {
namespace {

/// Runs a call that fills a buffer, with a larger one where what is there grew in between.
template <class Call>
int fill(std::string& bytes, std::size_t limit, Call call) {
  std::array<char, 1024> small{};
  ssize_t size = call(small.data(), small.size());
  if (size >= 0) {
    bytes.assign(small.data(), static_cast<std::size_t>(size));
    return 0;
  }
  if (errno != ERANGE) return errno;
  bytes.resize(limit);
  size = call(bytes.data(), bytes.size());
  const int code = size < 0 ? errno : 0;
  bytes.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return code;
}

}  // namespace

std::string proc_path(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

int ExtendedAttributes::read(const std::string& path) {
  items_.clear();
  failed_.clear();
  std::string names;
  const int code = fill(names, XATTR_LIST_MAX, [&](char* data, std::size_t size) {
    return ::listxattr(path.c_str(), data, size);
  });
  if (code == EOPNOTSUPP) return 0;
  if (code != 0) return code;
  for (std::size_t at = 0; at < names.size();) {
    Item item{.name = names.c_str() + at, .value = {}};
    at += item.name.size() + 1;
    const int failure = fill(item.value, XATTR_SIZE_MAX, [&](char* data, std::size_t size) {
      return ::getxattr(path.c_str(), item.name.c_str(), data, size);
    });
    if (failure == ENODATA) continue;  // removed since the list was read; ctime will tell
    if (failure != 0) {
      failed_ = item.name;
      return failure;
    }
    items_.push_back(std::move(item));
  }
  return 0;
}

int ExtendedAttributes::write(const std::string& path) {
  for (const auto& item : items_) {
    if (::setxattr(path.c_str(), item.name.c_str(), item.value.data(), item.value.size(), 0) != 0) {
      failed_ = item.name;
      return errno;
    }
  }
  return 0;
}

bool ExtendedAttributes::operator==(const ExtendedAttributes& other) const {
  if (items_.size() != other.items_.size()) return false;
  const auto sorted = [](const std::vector<Item>& items) {
    std::vector<const Item*> pointers;
    pointers.reserve(items.size());
    for (const Item& item : items) pointers.push_back(&item);
    std::ranges::sort(pointers, {}, &Item::name);
    return pointers;
  };
  return std::ranges::equal(sorted(items_), sorted(other.items_),
                            [](const Item* one, const Item* two) { return *one == *two; });
}

int set_owner_and_mode(int dir, const char* name, const struct statx& facts) {
  const int flags = AT_SYMLINK_NOFOLLOW | (*name == '\0' ? AT_EMPTY_PATH : 0);
  if (::fchownat(dir, name, facts.stx_uid, facts.stx_gid, flags) != 0) return errno;
  if (S_ISLNK(facts.stx_mode)) return 0;
  const mode_t mode = facts.stx_mode & 07777U;
  const int done = *name == '\0' ? ::fchmod(dir, mode) : ::fchmodat(dir, name, mode, 0);
  return done == 0 ? 0 : errno;
}

int set_times(int dir, const char* name, const struct statx& facts) {
  const std::array<timespec, 2> times{
      timespec{.tv_sec = facts.stx_atime.tv_sec, .tv_nsec = facts.stx_atime.tv_nsec},
      timespec{.tv_sec = facts.stx_mtime.tv_sec, .tv_nsec = facts.stx_mtime.tv_nsec}};
  const int done = *name == '\0' ? ::futimens(dir, times.data())
                                 : ::utimensat(dir, name, times.data(), AT_SYMLINK_NOFOLLOW);
  return done == 0 ? 0 : errno;
}

}  // namespace evojail
