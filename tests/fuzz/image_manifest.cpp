#include "jail/image_manifest.hpp"

#include "fuzz.hpp"

EVOJAIL_FUZZ(image_manifest) {
  const auto manifest = parse_image_manifest(input, "base-image.json");
  if (!manifest) return;
  const auto is_path = [](const std::string& path) {
    return path.starts_with('/') && (path + "/").find("/../") == std::string::npos &&
           path.find_first_of(std::string_view("\n\0", 2)) == std::string::npos;
  };
  require(is_path(manifest->session_shell), "the session shell has a path");
  for (const auto& path : manifest->directories) require(is_path(path), "directories have paths");
  for (const auto& text : manifest->texts) require(is_path(text.path), "texts have paths");
  for (const auto& link : manifest->links) require(is_path(link.path), "links have paths");
}
