#include "jail/base_image.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>
#include <optional>

#include "base/file.hpp"
#include "base/lock.hpp"
#include "jail/image_build.hpp"
#include "jail/image_manifest.hpp"
#include "jail/image_plan.hpp"
#include "jail/image_view.hpp"
#include "jail/share_dir.hpp"

namespace evojail {
namespace {

/// How often a plan is made anew because programs changed under the build.
constexpr int max_plans = 3;

std::string images_of(const HostSettings& host) { return host.datadir + "/images"; }

std::string image_path(const std::string& images, const std::string& id) {
  return fmt::format("{}/{}", images, id);
}

Result<ImagePlan> plan_now() {
  TRY(const std::string share, find_share_dir());
  const std::string file = share + "/profiles/base-image.json";
  TRY(const std::string text, read_file(file));
  TRY(const ImageManifest manifest, parse_image_manifest(text, file));
  TRY(const std::string session_shell, find_session_shell());
  TRY(const HostTree tree, HostTree::open("/"));
  return plan_image(manifest, tree, session_shell);
}

bool is_same_file(const struct stat& one, const struct stat& other) {
  return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/// Every jail runs what lies here: nobody but root may have put it there.
Result<void> check_owner(const struct stat& st, const std::string& path) {
  if (st.st_uid == ::geteuid() && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0) return {};
  return std::unexpected(
      Error(fmt::format("'{}' is not root's own, or others may write to it", path))
          .hint("the programs of all jails are there: remove it, and let evojail make it again"));
}

/// The id that IMAGES/current names; nothing where there is no image by it.
std::optional<std::string> read_current(const std::string& images) {
  std::array<char, PATH_MAX> buffer{};
  const std::string link = images + "/current";
  const ssize_t length = ::readlink(link.c_str(), buffer.data(), buffer.size());
  if (length <= 0) return std::nullopt;
  std::string id(buffer.data(), static_cast<std::size_t>(length));
  if (!is_image_id(id) || !path_exists(image_path(images, id))) return std::nullopt;
  return id;
}

Result<void> set_current(const std::string& images, const std::string& id) {
  const std::string link = images + "/current";
  const std::string temporary = images + "/.current";
  if (::unlink(temporary.c_str()) != 0 && errno != ENOENT) return fail_errno("removing", temporary);
  if (::symlink(id.c_str(), temporary.c_str()) != 0) return fail_errno("making link", temporary);
  if (::rename(temporary.c_str(), link.c_str()) != 0) return fail_errno("replacing", link);
  TRY(const Fd directory, open_directory(images));
  if (::fsync(directory.get()) != 0) return fail_errno("syncing", images);
  return {};
}

/// Takes hold of an image; nothing when it went away meanwhile.
Result<std::optional<BaseImage>> hold_image(const std::string& images, const std::string& id) {
  const std::string path = image_path(images, id);
  auto fd = open_path(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!fd && fd.error().code() == ENOENT) return std::nullopt;
  if (!fd) return std::unexpected(std::move(fd).error());
  while (::flock(fd->get(), LOCK_SH) != 0) {
    if (errno != EINTR) return fail_errno("locking", path);
  }
  struct stat held{};
  struct stat named{};
  if (::fstat(fd->get(), &held) != 0) return fail_errno("looking at", path);
  // Whoever deletes an image renames it under the exclusive lock: what still has its name stays.
  if (::stat(path.c_str(), &named) != 0 || !is_same_file(held, named)) return std::nullopt;
  CHECK(check_owner(held, path));
  return BaseImage{.id = id, .path = path, .hold = *std::move(fd)};
}

/// Plans and builds; the lock on images is held.
Result<ImagePlan> build_now(const std::string& images) {
  for (int tries = 1;; ++tries) {
    TRY(ImagePlan plan, plan_now());
    if (path_exists(image_path(images, plan.id))) return plan;
    auto built = build_image(plan, images);
    if (built) return plan;
    if (built.error().code() != ESTALE || tries == max_plans) {
      return std::unexpected(std::move(built).error());
    }
  }
}

Result<std::string> read_record(const std::string& images, const std::string& id) {
  return read_file(image_path(images, id) + image_record_path);
}

Result<BuildReport> update_locked(const std::string& images) {
  CHECK(clear_unfinished_images(images));
  const auto before = read_current(images);
  TRY(const ImagePlan plan, build_now(images));
  BuildReport report{.id = plan.id,
                     .path = image_path(images, plan.id),
                     .built = before != plan.id,
                     .changes = {},
                     .left_out = plan.left_out,
                     .files = plan.files,
                     .bytes = plan.bytes};
  if (!report.built) return report;
  if (before) {
    TRY(const std::string record, read_record(images, *before));
    report.changes = compare_image_records(record, plan.record);
  }
  CHECK(set_current(images, plan.id));
  return report;
}

Result<std::vector<std::string>> list_images(const std::string& images) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(images.c_str()), ::closedir);
  std::vector<std::string> ids;
  if (!dir && errno == ENOENT) return ids;
  if (!dir) return fail_errno("listing", images);
  errno = 0;
  while (const dirent* entry = ::readdir(dir.get())) {
    if (is_image_id(entry->d_name)) ids.emplace_back(entry->d_name);
    errno = 0;
  }
  if (errno != 0) return fail_errno("listing", images);
  return ids;
}

/// @return whether it is gone: an image that somebody holds stays.
Result<bool> delete_unless_held(const std::string& images, const std::string& id) {
  const std::string path = image_path(images, id);
  TRY(const Fd fd, open_path(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    return fail_errno("locking", path);
  }
  CHECK(delete_image(images, id));
  return true;
}

}  // namespace

Result<FileLock> lock_images(const HostSettings& host) {
  const std::string locks = host.rundir + "/.lock";
  CHECK(make_directories(locks, 0700));
  // An image's name has no dot and a jail's lock has one: this name is nobody else's.
  return FileLock::take(locks + "/image", FileLock::Wait::yes);
}

Result<BaseImage> ensure_base_image(const HostSettings& host) {
  const std::string images = images_of(host);
  // Each turn that ends without an image was overtaken by an update and a removal.
  for (int tries = 0; tries < 16; ++tries) {
    const auto current = read_current(images);
    if (!current) {
      CHECK(update_base_image(host));
      continue;
    }
    TRY(auto image, hold_image(images, *current));
    if (image) return *std::move(image);
  }
  return fail(fmt::format("the base image in '{}' is replaced all the time", images));
}

Result<BuildReport> update_base_image(const HostSettings& host) {
  const std::string images = images_of(host);
  CHECK(make_directories(images, 0755));
  TRY(const FileLock lock, lock_images(host));
  return update_locked(images);
}

Result<BaseImageState> base_image_state(const HostSettings& host) {
  const std::string images = images_of(host);
  BaseImageState state;
  const auto current = read_current(images);
  TRY(const ImagePlan plan, plan_now());
  state.wanted = plan.id;
  if (!current) return state;
  state.current = *current;
  if (!state.stale()) return state;
  TRY(const std::string record, read_record(images, *current));
  state.changes = compare_image_records(record, plan.record);
  return state;
}

Result<std::vector<std::string>> prune_base_images(const HostSettings& host,
                                                   std::span<const std::string> in_use) {
  const std::string images = images_of(host);
  std::vector<std::string> gone;
  if (!path_exists(images)) return gone;
  TRY(const FileLock lock, lock_images(host));
  CHECK(clear_unfinished_images(images));
  const auto current = read_current(images);
  TRY(const std::vector<std::string> ids, list_images(images));
  for (const auto& id : ids) {
    if (id == current || std::ranges::find(in_use, id) != in_use.end()) continue;
    TRY(const bool deleted, delete_unless_held(images, id));
    if (deleted) gone.push_back(id);
  }
  CHECK(prune_image_views(images));
  return gone;
}

}  // namespace evojail
