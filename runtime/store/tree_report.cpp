#include "store/tree_report.hpp"

#include <fmt/format.h>
#include <linux/limits.h>
#include <unistd.h>

#include <array>
#include <system_error>

namespace evojail {
namespace {

std::string path_of(int fd) {
  std::array<char, PATH_MAX> path{};
  const ssize_t size =
      ::readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), path.data(), path.size());
  // A path beyond PATH_MAX cannot be had: ENAMETOOLONG.
  if (size <= 0) return "…";
  return {path.data(), static_cast<std::size_t>(size)};
}

}  // namespace

void TreeTroubles::set_root(int root) { root_ = path_of(root); }

std::string TreeTroubles::path(int dir, std::string_view name) const {
  std::string path = path_of(dir);
  if (!root_.empty() && path.starts_with(root_)) path.erase(0, root_.size());
  if (path.starts_with('/')) path.erase(0, 1);
  if (!name.empty()) {
    if (!path.empty()) path += '/';
    path += name;
  }
  if (path.empty()) path.push_back('.');
  return path;
}

void TreeTroubles::add(int dir, std::string_view name, std::string_view reason) {
  const std::lock_guard lock(mutex_);
  ++count_;
  if (list_.size() < limit_) list_.push_back({path(dir, name), std::string(reason)});
}

void TreeTroubles::add(int dir, std::string_view name, std::string_view what, int code) {
  add(dir, name, fmt::format("{}: {}", what, std::generic_category().message(code)));
}

std::uint64_t TreeTroubles::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

std::vector<TreeTrouble> TreeTroubles::list() const {
  const std::lock_guard lock(mutex_);
  return list_;
}

void TreeTroubles::clear() {
  const std::lock_guard lock(mutex_);
  count_ = 0;
  list_.clear();
}

}  // namespace evojail
