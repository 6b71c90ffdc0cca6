#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace evojail {

/// The record of an image: one line an item, `KIND PATH …`, sorted by path. Made by plan_image(),
/// digested to the image's id, kept in the image so that the next plan can be compared with it.
inline constexpr const char* image_record_path = "/usr/share/evojail/base-image";

/// What differs between two records: paths in the image.
struct ImageChanges {
  std::vector<std::string> added;
  std::vector<std::string> removed;
  std::vector<std::string> changed;
};
[[nodiscard]] ImageChanges compare_image_records(std::string_view before, std::string_view after);

/// FNV-1a, 64 bits, as 16 hexadecimal digits. It tells two builds on one host apart, no more: what
/// goes in is root's own, so nobody is there to search for a collision.
[[nodiscard]] std::string image_digest(std::string_view bytes);

/// Whether `name` could have come from image_digest(): nothing else in DATADIR/images is an image.
[[nodiscard]] bool is_image_id(std::string_view name);

}  // namespace evojail
