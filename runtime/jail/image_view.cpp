#include "jail/image_view.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <set>

#include "base/directory.hpp"
#include "base/file.hpp"
#include "base/lock.hpp"
#include "jail/image_record.hpp"

namespace evojail {
namespace {

using Names = std::set<std::string>;

/// Where the image has programs. Root's login shell, which reports on sessions, is in none of them.
constexpr std::array program_dirs{"usr/bin", "usr/sbin", "usr/lib/openssh"};

Result<std::string> link_target(int dir, const std::string& name, const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlinkat(dir, name.c_str(), target.data(), target.size());
  if (size < 0) return fail_errno("reading link", path + "/" + name);
  return std::string(target.data(), static_cast<std::size_t>(size));
}

/// The programs and what their names lead to: "sh" is a link to dash.
Result<Names> allowed_names(const std::string& image, const Names& programs) {
  Names allowed = programs;
  for (const auto* directory : program_dirs) {
    const std::string path = fmt::format("{}/{}", image, directory);
    auto dir = open_directory(path);
    if (!dir && dir.error().code() == ENOENT) continue;
    if (!dir) return std::unexpected(std::move(dir).error());
    for (std::string name : programs) {
      // A chain that is longer than this is a loop.
      for (int step = 0; step < 8; ++step) {
        const auto target = link_target(dir->get(), name, path);
        if (!target) break;
        name = std::filesystem::path(*target).filename();
        allowed.insert(name);
      }
    }
  }
  return allowed;
}

/// Programs of one directory of the image that are not to be there.
Result<Names> surplus_of(const std::string& path, const Names& allowed) {
  Names surplus;
  auto dir = open_directory(path);
  if (!dir && dir.error().code() == ENOENT) return surplus;
  if (!dir) return std::unexpected(std::move(dir).error());
  TRY(const auto names, list_directory(dir->get(), path));
  for (const auto& name : names) {
    struct stat st{};
    if (::fstatat(dir->get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno("looking at", path + "/" + name);
    }
    if (!S_ISDIR(st.st_mode) && !allowed.contains(name)) surplus.insert(name);
  }
  return surplus;
}

/// Paths in the image, "usr/bin/sh".
Result<Names> surplus_programs(const std::string& image, const Names& programs) {
  TRY(const Names allowed, allowed_names(image, programs));
  Names all;
  for (const auto* directory : program_dirs) {
    TRY(const Names names, surplus_of(fmt::format("{}/{}", image, directory), allowed));
    for (const auto& name : names) all.insert(fmt::format("{}/{}", directory, name));
  }
  return all;
}

/// Which view it is follows from the list alone, since an image never changes; the number is that
/// of the rules by which it was made.
std::string key_of(const Names& programs) {
  std::string text = "1\n";
  for (const auto& name : programs) text += name + '\n';
  return image_digest(text);
}

/// Only for directories of images: root's own from top to bottom, in no client's reach.
Result<void> remove_tree(const std::string& path) {
  std::error_code code;
  std::filesystem::remove_all(path, code);
  if (code) return fail_errno("removing", path, code.value());
  return {};
}

Result<void> make_view_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 || ::chmod(path.c_str(), 0755) != 0) {
    return fail_errno("making directory", path);
  }
  return {};
}

/// `relative` is "" at the top, else ends in a slash.
Result<void> link_tree(const std::string& image, const std::string& view,
                       const std::string& relative, const Names& surplus) {
  const std::string from = image + "/" + relative;
  CHECK(make_view_directory(view + "/" + relative));
  TRY(const Fd dir, open_directory(from));
  TRY(const auto names, list_directory(dir.get(), from));
  for (const auto& name : names) {
    const std::string path = relative + name;
    if (surplus.contains(path)) continue;
    struct stat st{};
    if (::fstatat(dir.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      return fail_errno("looking at", from + name);
    }
    if (S_ISDIR(st.st_mode)) {
      CHECK(link_tree(image, view, path + "/", surplus));
    } else if (::linkat(dir.get(), name.c_str(), AT_FDCWD, (view + "/" + path).c_str(), 0) != 0) {
      return fail_errno("linking", view + "/" + path);
    }
  }
  return {};
}

Result<void> build_view(const BaseImage& image, const std::string& views, const std::string& key,
                        const Names& surplus) {
  const std::string temporary = views + "/.building";
  CHECK(remove_tree(temporary));
  if (surplus.empty()) {
    // Nothing to leave out: the view is the image.
    if (::symlink(("../../" + image.id).c_str(), temporary.c_str()) != 0) {
      return fail_errno("making link", temporary);
    }
  } else {
    CHECK(link_tree(image.path, temporary, "", surplus));
  }
  TRY(const Fd whole, open_directory(views));
  if (::syncfs(whole.get()) != 0) return fail_errno("syncing", temporary);
  const std::string path = views + "/" + key;
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_errno("naming", path);
  return {};
}

}  // namespace

Result<std::string> ensure_image_view(const HostSettings& host, const BaseImage& image,
                                      const std::vector<std::string>& list) {
  const Names programs(list.begin(), list.end());
  const std::string views = fmt::format("{}/images/views/{}", host.datadir, image.id);
  const std::string key = key_of(programs);
  const std::string path = views + "/" + key;
  if (path_exists(path)) return path;
  TRY(const FileLock lock, lock_images(host));
  if (path_exists(path)) return path;
  CHECK(make_directories(views, 0755));
  TRY(const Names surplus, surplus_programs(image.path, programs));
  if (auto built = build_view(image, views, key, surplus); !built) {
    return std::unexpected(std::move(built).error().in("making the profile's view of the image"));
  }
  return path;
}

Result<void> prune_image_views(const std::string& images) {
  const std::string views = images + "/views";
  auto dir = open_directory(views);
  if (!dir && dir.error().code() == ENOENT) return {};
  if (!dir) return std::unexpected(std::move(dir).error());
  TRY(const auto ids, list_directory(dir->get(), views));
  for (const auto& id : ids) {
    if (!path_exists(images + "/" + id)) CHECK(remove_tree(views + "/" + id));
  }
  return {};
}

}  // namespace evojail
