#include "config/profile_files.hpp"

#include <dirent.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/file.hpp"

namespace evojail {
namespace {

constexpr std::string_view kSuffix = ".json";
/// What the base image is made of lies beside the profiles and is none.
constexpr std::string_view kBaseImage = "base-image";

bool is_profile_name(std::string_view name) {
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return name != kBaseImage && !name.empty() && name.size() <= 64 && lower(name.front()) &&
         std::ranges::all_of(name, [&](char c) {
           return lower(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
         });
}

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { closedir(directory); }
};

}  // namespace

Result<std::vector<std::string>> list_profiles(const std::string& directory) {
  const std::unique_ptr<DIR, CloseDirectory> stream(opendir(directory.c_str()));
  if (!stream) return fail_errno("opening", directory);
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr) break;
    std::string_view name = entry->d_name;
    if (!name.ends_with(kSuffix)) continue;
    name.remove_suffix(kSuffix.size());
    if (is_profile_name(name)) names.emplace_back(name);
  }
  if (errno != 0) return fail_errno("reading", directory);
  std::ranges::sort(names);
  return names;
}

Result<Profile> load_profile_file(const std::string& file) {
  TRY(const std::string text, read_file(file));
  return parse_profile(text, file);
}

Result<Profile> load_profile(const std::string& directory, std::string_view name) {
  TRY(const std::vector<std::string> names, list_profiles(directory));
  if (std::ranges::find(names, name) == names.end()) {
    return fail(fmt::format("no such profile '{}'; '{}' has: {}", name, directory,
                            names.empty() ? "none" : fmt::to_string(fmt::join(names, ", "))));
  }
  return load_profile_file(fmt::format("{}/{}{}", directory, name, kSuffix));
}

}  // namespace evojail
