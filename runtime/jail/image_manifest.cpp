#include "jail/image_manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "base/parse.hpp"
#include "base/printable.hpp"
#include "config/json_lines.hpp"

namespace evojail {
namespace {

using Json = nlohmann::json;

/// One JSON object of the manifest, its place known for messages: file, line, JSON pointer.
class Object {
 public:
  Object(const Json& json, std::string pointer, std::string_view file, const JsonLines& lines)
      : json_(json), pointer_(std::move(pointer)), file_(file), lines_(lines) {}

  [[nodiscard]] std::unexpected<Error> bad(std::string_view member, std::string_view what) const {
    const std::string at = member.empty() ? pointer_ : fmt::format("{}/{}", pointer_, member);
    const auto line = lines_.find(at);
    return fail(fmt::format("{}:{}: {}: {}", file_, line != lines_.end() ? line->second : 1,
                            at.empty() ? "/" : at, what));
  }

  /// An error unless this is an object that has none but these members.
  [[nodiscard]] Result<void> allow(std::initializer_list<std::string_view> members) const {
    if (!json_.is_object()) return bad("", "has to be an object");
    for (const auto& item : json_.items()) {
      if (std::ranges::find(members, item.key()) == members.end()) {
        return bad("", fmt::format("unknown member '{}'; known are {}", printable(item.key()),
                                   fmt::join(members, ", ")));
      }
    }
    return {};
  }

  [[nodiscard]] Result<std::string> text(const std::string& member) const {
    const auto found = json_.find(member);
    if (found == json_.end()) return bad("", fmt::format("member '{}' is missing", member));
    if (!found->is_string()) return bad(member, "has to be a string");
    auto value = found->get<std::string>();
    if (value.empty() || value.find('\0') != std::string::npos) {
      return bad(member, "is empty or holds a NUL");
    }
    return value;
  }

  [[nodiscard]] Result<bool> flag(const std::string& member) const {
    const auto found = json_.find(member);
    if (found == json_.end()) return bad("", fmt::format("member '{}' is missing", member));
    if (!found->is_boolean()) return bad(member, "has to be true or false");
    return found->get<bool>();
  }

  [[nodiscard]] Result<std::vector<std::string>> texts(const std::string& member) const {
    const auto found = json_.find(member);
    if (found == json_.end()) return bad("", fmt::format("member '{}' is missing", member));
    if (!found->is_array()) return bad(member, "has to be a list of strings");
    std::vector<std::string> values;
    for (const auto& value : *found) {
      if (!value.is_string() || value.get<std::string>().find('\0') != std::string::npos) {
        return bad(member, "has to be a list of strings");
      }
      values.push_back(value.get<std::string>());
    }
    return values;
  }

  [[nodiscard]] Result<std::vector<Object>> objects(const std::string& member) const {
    const auto found = json_.find(member);
    if (found == json_.end()) return bad("", fmt::format("member '{}' is missing", member));
    if (!found->is_array()) return bad(member, "has to be a list of objects");
    std::vector<Object> values;
    values.reserve(found->size());
    for (std::size_t i = 0; i < found->size(); ++i) {
      values.emplace_back((*found)[i], fmt::format("{}/{}/{}", pointer_, member, i), file_, lines_);
    }
    return values;
  }

 private:
  const Json& json_;
  std::string pointer_;
  std::string_view file_;
  const JsonLines& lines_;
};

/// An absolute path whose components are names: it means the same below any root.
bool is_clean_path(std::string_view path) {
  if (!path.starts_with('/') || path.ends_with('/') || path.size() > 1024) return false;
  if (path.find("//") != std::string_view::npos) return false;
  const auto names = split_words(path, "/");
  // A line feed would end the image's record of the path early (image_plan.hpp).
  return std::ranges::none_of(names, [](auto name) { return name == "." || name == ".."; }) &&
         path.find_first_of("\n\t ") == std::string_view::npos;
}

Result<std::string> read_path(const Object& object, const std::string& member) {
  TRY(std::string path, object.text(member));
  if (!is_clean_path(path)) return object.bad(member, "has to be a clean absolute path");
  return path;
}

Result<std::vector<std::string>> read_paths(const Object& object, const std::string& member) {
  TRY(std::vector<std::string> paths, object.texts(member));
  for (const auto& path : paths) {
    if (!is_clean_path(path)) {
      return object.bad(member, fmt::format("'{}' is no clean absolute path", printable(path)));
    }
  }
  return paths;
}

Result<ProgramGroup> read_program_group(const Object& object) {
  CHECK(object.allow({"reason", "package", "required", "programs"}));
  ProgramGroup group;
  TRY(group.reason, object.text("reason"));
  TRY(group.package, object.text("package"));
  TRY(group.required, object.flag("required"));
  TRY(group.programs, object.texts("programs"));
  for (const auto& program : group.programs) {
    const bool is_path = program.starts_with('/');
    if (!is_clean_path(is_path ? program : "/" + program) ||
        (!is_path && program.find('/') != std::string::npos)) {
      return object.bad("programs", fmt::format("'{}' is neither a name nor a clean absolute path",
                                                printable(program)));
    }
  }
  return group;
}

Result<DataGroup> read_data_group(const Object& object) {
  CHECK(object.allow({"reason", "package", "required", "paths"}));
  DataGroup group;
  TRY(group.reason, object.text("reason"));
  TRY(group.package, object.text("package"));
  TRY(group.required, object.flag("required"));
  TRY(group.paths, read_paths(object, "paths"));
  return group;
}

Result<ImageLink> read_link(const Object& object) {
  CHECK(object.allow({"reason", "path", "target"}));
  CHECK(object.text("reason"));
  ImageLink link;
  TRY(link.path, read_path(object, "path"));
  TRY(link.target, object.text("target"));
  if (link.target.find_first_of("\n\t ") != std::string::npos) {
    return object.bad("target", "holds white space");
  }
  return link;
}

Result<ImageText> read_text(const Object& object) {
  CHECK(object.allow({"reason", "path", "lines"}));
  CHECK(object.text("reason"));
  ImageText text;
  TRY(text.path, read_path(object, "path"));
  TRY(const std::vector<std::string> lines, object.texts("lines"));
  for (const auto& line : lines) text.text += line + '\n';
  return text;
}

Result<void> read_directories(const Object& object, std::vector<std::string>& directories) {
  CHECK(object.allow({"reason", "paths"}));
  CHECK(object.text("reason"));
  TRY(const std::vector<std::string> paths, read_paths(object, "paths"));
  directories.insert(directories.end(), paths.begin(), paths.end());
  return {};
}

/// read_all(list, read): each element read, or the first error.
template <class T>
Result<std::vector<T>> read_each(const Object& object, const std::string& member,
                                 Result<T> (*read)(const Object&)) {
  TRY(const std::vector<Object> elements, object.objects(member));
  std::vector<T> values;
  for (const auto& element : elements) {
    TRY(T value, read(element));
    values.push_back(std::move(value));
  }
  return values;
}

}  // namespace

Result<ImageManifest> parse_image_manifest(std::string_view text, std::string_view file) {
  TRY(const JsonLines lines, read_json_lines(text, file));
  // Sound, or read_json_lines() had refused it: nothing is thrown here.
  const Json json = Json::parse(text, nullptr, false);
  const Object object(json, "", file, lines);
  CHECK(object.allow(
      {"description", "programs", "data", "links", "texts", "directories", "session_shell"}));
  CHECK(object.text("description"));
  ImageManifest manifest;
  TRY(manifest.programs, read_each(object, "programs", read_program_group));
  TRY(manifest.data, read_each(object, "data", read_data_group));
  TRY(manifest.links, read_each(object, "links", read_link));
  TRY(manifest.texts, read_each(object, "texts", read_text));
  TRY(manifest.session_shell, read_path(object, "session_shell"));
  TRY(const std::vector<Object> directories, object.objects("directories"));
  for (const auto& element : directories) CHECK(read_directories(element, manifest.directories));
  return manifest;
}

}  // namespace evojail
