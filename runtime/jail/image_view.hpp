#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/host_settings.hpp"
#include "jail/base_image.hpp"

namespace evojail {

/// The tree that jails with a list of programs have for their root, DATADIR/images/views/ID/KEY: a
/// link to the base image where the list has all its programs, else the same files by hard links
/// without the programs that are not on the list. Made where it is missing; `image.hold` keeps it
/// as well.
[[nodiscard]] Result<std::string> ensure_image_view(const HostSettings& host,
                                                    const BaseImage& image,
                                                    const std::vector<std::string>& list);

/// Removes the views of images that are gone. The lock on images is held.
[[nodiscard]] Result<void> prune_image_views(const std::string& images);

}  // namespace evojail
