#pragma once

#include <string>

#include "base/result.hpp"
#include "jail/image_plan.hpp"

namespace evojail {

/// Writes the tree of `plan` to IMAGES/ID: made under a temporary name, on disk before it gets its
/// own. Files are copies, byte for byte, that share neither inode nor extents nor page cache with
/// the host's. A source that is no longer what was planned is an error with code ESTALE: plan anew.
/// @param images a directory of root's; the caller holds the lock on images.
[[nodiscard]] Result<void> build_image(const ImagePlan& plan, const std::string& images);

/// Removes what a build or a removal that was killed has left. The caller holds the lock on images.
[[nodiscard]] Result<void> clear_unfinished_images(const std::string& images);

/// Deletes IMAGES/ID: renamed first, so that a deletion that is killed leaves no half image by its
/// name.
[[nodiscard]] Result<void> delete_image(const std::string& images, const std::string& id);

}  // namespace evojail
