#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace evojail {

/// Programs of one Debian package, or of one purpose, that go into the base image.
struct ProgramGroup {
  std::string reason;
  std::string package;    ///< the Debian package that has them, for the hint when one is missing
  bool required = false;  ///< a missing one is an error; otherwise it is left out
  std::vector<std::string> programs;  ///< names for /usr/bin, /usr/sbin, or absolute paths
};

/// Files that programs read, copied byte for byte; a directory is copied with what is in it.
struct DataGroup {
  std::string reason;
  std::string package;
  bool required = false;
  std::vector<std::string> paths;
};

/// A symbolic link of the image that the host need not have.
struct ImageLink {
  std::string path;
  std::string target;
};

/// A small file that is written out, not copied.
struct ImageText {
  std::string path;
  std::string text;
};

/// profiles/base-image.json, validated: what the tree that all jails share is made of. All paths
/// are absolute, without ".", ".." or empty components.
struct ImageManifest {
  std::vector<ProgramGroup> programs;
  std::vector<DataGroup> data;
  std::vector<ImageLink> links;
  std::vector<ImageText> texts;
  std::vector<std::string> directories;  ///< empty ones: mount points
  std::string session_shell;             ///< where the image has root's login shell
};

/// Parses a manifest. Malformed JSON, an unknown or repeated member, a group without a reason, a
/// path that is not clean: an error with `file` and the place in it.
[[nodiscard]] Result<ImageManifest> parse_image_manifest(std::string_view text,
                                                         std::string_view file);

}  // namespace evojail
