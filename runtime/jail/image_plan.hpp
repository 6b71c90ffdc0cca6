#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "jail/host_tree.hpp"
#include "jail/image_manifest.hpp"

namespace evojail {

/// One name in the image.
struct ImageItem {
  enum class Kind : std::uint8_t { directory, file, link, text };
  Kind kind = Kind::directory;
  mode_t mode = 0755;     ///< not of links
  std::string source;     ///< file: what it is a copy of, as the whole system names it
  FileIdentity identity;  ///< file: the version of `source` that the plan is made for
  std::string content;    ///< link: its target; text: the text

  bool operator==(const ImageItem&) const = default;
};

/// All that makes up an image, decided before a byte is written.
struct ImagePlan {
  std::map<std::string, ImageItem> items;  ///< by path in the image: parents before what is in them
  std::vector<std::string> left_out;       ///< optional things that are not to be had, and why
  std::string record;                      ///< all items as text (image_record.hpp)
  std::string id;                          ///< image_digest(record)
  std::size_t files = 0;                   ///< copies and texts
  std::uint64_t bytes = 0;                 ///< of their contents
};

/// Resolves a manifest against the host's files. Programs are followed through symbolic links,
/// scripts to their interpreter, ELF files to their loader and all libraries. A required thing that
/// is missing is an error that names the Debian package.
/// @param session_shell the program behind ImageManifest::session_shell, outside of `host`.
[[nodiscard]] Result<ImagePlan> plan_image(const ImageManifest& manifest, const HostTree& host,
                                           const std::string& session_shell);

}  // namespace evojail
