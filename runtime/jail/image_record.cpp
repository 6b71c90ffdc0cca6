#include "jail/image_record.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>

#include "base/parse.hpp"

namespace evojail {
namespace {

std::map<std::string_view, std::string_view> lines_by_path(std::string_view record) {
  std::map<std::string_view, std::string_view> lines;
  for (const auto line : split_lines(record)) {
    const auto words = split_words(line, " ");
    if (words.size() >= 2) lines[words[1]] = line;
  }
  return lines;
}

}  // namespace

ImageChanges compare_image_records(std::string_view before, std::string_view after) {
  const auto old_lines = lines_by_path(before);
  const auto new_lines = lines_by_path(after);
  ImageChanges changes;
  for (const auto& [path, line] : new_lines) {
    const auto old = old_lines.find(path);
    if (old == old_lines.end()) {
      changes.added.emplace_back(path);
    } else if (old->second != line) {
      changes.changed.emplace_back(path);
    }
  }
  for (const auto& [path, line] : old_lines) {
    if (!new_lines.contains(path)) changes.removed.emplace_back(path);
  }
  return changes;
}

std::string image_digest(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return fmt::format("{:016x}", hash);
}

bool is_image_id(std::string_view name) {
  return name.size() == 16 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace evojail
