#include "jail/image_build.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <span>
#include <system_error>
#include <vector>

#include "base/fd.hpp"

namespace evojail {
namespace {

// Fixed names, not patterns: the lock on images admits one at a time, and no image's id has a dot.
constexpr const char* building = ".building";
constexpr const char* removing = ".removing";

constexpr std::size_t copy_step = 256 << 10;

std::unexpected<Error> moved_on(const std::string& source) {
  return std::unexpected(
      Error::system("copying", source, ESTALE)
          .hint("programs of this host are being upgraded: try again when that is over"));
}

/// read(2) and write(2): copy_file_range(2) may share extents with the host's file on btrfs and
/// XFS.
Result<void> copy_bytes(int from, int to, const std::string& source, const std::string& path,
                        std::span<char> buffer) {
  for (;;) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got == 0) return {};
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("reading", source);
    CHECK(write_all(to, path, {buffer.data(), static_cast<std::size_t>(got)}));
  }
}

/// Writes the items of a plan below one new directory.
class TreeWriter {
 public:
  TreeWriter(Fd root, std::string path) : root_(std::move(root)), path_(std::move(path)) {}

  Result<void> write(const std::string& path, const ImageItem& item) {
    const std::string name = path.substr(1);
    switch (item.kind) {
      case ImageItem::Kind::directory:
        return make_directory(name);
      case ImageItem::Kind::link:
        if (::symlinkat(item.content.c_str(), root_.get(), name.c_str()) == 0) return {};
        return fail_errno("making link", path_ + path);
      case ImageItem::Kind::text:
        return write_text(name, item.content, item.mode);
      case ImageItem::Kind::file:
        break;
    }
    return copy_file(name, item);
  }

 private:
  Result<void> make_directory(const std::string& name) {
    // The mode is set by itself: the caller's umask must not decide what jails can read.
    if (::mkdirat(root_.get(), name.c_str(), 0755) != 0 ||
        ::fchmodat(root_.get(), name.c_str(), 0755, 0) != 0) {
      return fail_errno("making directory", path_ + "/" + name);
    }
    return {};
  }

  Result<Fd> create(const std::string& name) {
    return open_at(root_.get(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  }

  Result<void> set_mode(const Fd& file, const std::string& name, mode_t mode) {
    if (::fchmod(file.get(), mode) == 0) return {};
    return fail_errno("setting the mode of", path_ + "/" + name);
  }

  Result<void> write_text(const std::string& name, const std::string& text, mode_t mode) {
    TRY(const Fd file, create(name));
    CHECK(write_all(file.get(), path_ + "/" + name, text));
    return set_mode(file, name, mode);
  }

  Result<void> copy_file(const std::string& name, const ImageItem& item) {
    auto opened = open_path(item.source, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    if (!opened && opened.error().code() == ENOENT) return moved_on(item.source);
    if (!opened) return std::unexpected(std::move(opened).error());
    TRY(const Fd file, create(name));
    CHECK(copy_bytes(opened->get(), file.get(), item.source, path_ + "/" + name, buffer_));
    // Looked at after the copy: what was written to meanwhile has another size or time.
    TRY(const HostFile source, look_at_file(*std::move(opened), item.source));
    if (source.identity != item.identity) return moved_on(item.source);
    return set_mode(file, name, item.mode);
  }

  Fd root_;
  std::string path_;
  std::vector<char> buffer_ = std::vector<char>(copy_step);
};

/// Only for directories of images: root's own from top to bottom, in no client's reach.
Result<void> remove_tree(const std::string& path) {
  std::error_code code;
  std::filesystem::remove_all(path, code);
  if (code) return fail_errno("removing", path, code.value());
  return {};
}

Result<void> sync_directory(const std::string& path) {
  TRY(const Fd directory, open_directory(path));
  if (::fsync(directory.get()) != 0) return fail_errno("syncing", path);
  return {};
}

Result<void> write_tree(const ImagePlan& plan, const std::string& path) {
  if (::mkdir(path.c_str(), 0755) != 0 || ::chmod(path.c_str(), 0755) != 0) {
    return fail_errno("making directory", path);
  }
  TRY(Fd root, open_directory(path));
  TRY(const Fd whole, duplicate(root.get()));
  TreeWriter writer(std::move(root), path);
  for (const auto& [name, item] : plan.items) CHECK(writer.write(name, item));
  // One syncfs(2) instead of an fsync for each of some hundred files: one commit of the journal.
  if (::syncfs(whole.get()) != 0) return fail_errno("syncing", path);
  return {};
}

}  // namespace

Result<void> build_image(const ImagePlan& plan, const std::string& images) {
  const std::string temporary = fmt::format("{}/{}", images, building);
  const std::string final_path = fmt::format("{}/{}", images, plan.id);
  CHECK(remove_tree(temporary));
  auto written = write_tree(plan, temporary);
  if (written && ::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, final_path.c_str(),
                             RENAME_NOREPLACE) != 0) {
    written = fail_errno("naming the base image", final_path);
  }
  if (!written) {
    // The build's error is the one to tell; what cannot be removed now is removed by the next
    // build.
    [[maybe_unused]] const auto removed = remove_tree(temporary);
    return std::unexpected(std::move(written).error().in("building the base image"));
  }
  return sync_directory(images);
}

Result<void> clear_unfinished_images(const std::string& images) {
  for (const auto* name : {building, removing}) {
    CHECK(remove_tree(fmt::format("{}/{}", images, name)));
  }
  return {};
}

Result<void> delete_image(const std::string& images, const std::string& id) {
  const std::string temporary = fmt::format("{}/{}", images, removing);
  CHECK(remove_tree(temporary));
  const std::string path = fmt::format("{}/{}", images, id);
  if (::rename(path.c_str(), temporary.c_str()) != 0) return fail_errno("removing", path);
  CHECK(sync_directory(images));
  return remove_tree(temporary);
}

}  // namespace evojail
