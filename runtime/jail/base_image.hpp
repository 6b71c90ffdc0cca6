#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/lock.hpp"
#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "jail/image_record.hpp"

namespace evojail {

/// The base image in use: DATADIR/images/ID, a read-only tree of programs that all jails share.
struct BaseImage {
  std::string id;    ///< 16 hexadecimal digits, made from what the image was built of
  std::string path;  ///< DATADIR/images/ID
  /// A shared flock(2) on the image's directory: while anybody holds it, prune_base_images() leaves
  /// the image alone. A supervisor keeps it as long as its jail runs, and across execve(2).
  Fd hold;
};

/// Held by whoever makes or removes images.
[[nodiscard]] Result<FileLock> lock_images(const HostSettings& host);

/// The current image, built first where there is none. An image that is older than the host's
/// programs stays until update_base_image(): a jail's start neither waits for a build nor changes
/// what the others run.
[[nodiscard]] Result<BaseImage> ensure_base_image(const HostSettings& host);

/// What update_base_image() did.
struct BuildReport {
  std::string id;
  std::string path;
  bool built = false;                 ///< false: the current image is what a build would make
  ImageChanges changes;               ///< against the image that was current before
  std::vector<std::string> left_out;  ///< optional programs that this host does not have
  std::size_t files = 0;
  std::uint64_t bytes = 0;
};

/// Builds the image anew where anything that it is made of has changed, and makes it the current
/// one. Jails that run keep the image they started with. One update at a time; a killed one leaves
/// nothing that counts.
[[nodiscard]] Result<BuildReport> update_base_image(const HostSettings& host);

struct BaseImageState {
  std::string current;   ///< id, empty where there is none yet
  std::string wanted;    ///< the id that a build would give now
  ImageChanges changes;  ///< what makes the two differ
  [[nodiscard]] bool stale() const { return !current.empty() && current != wanted; }
};

/// Whether the host's programs have moved on since the image was built. Reads, writes nothing.
[[nodiscard]] Result<BaseImageState> base_image_state(const HostSettings& host);

/// Deletes the images that are neither current, nor held (BaseImage::hold), nor named in `in_use`.
/// @return the ids that are gone.
[[nodiscard]] Result<std::vector<std::string>> prune_base_images(
    const HostSettings& host, std::span<const std::string> in_use = {});

}  // namespace evojail
