#include "jail/image_plan.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <memory>
#include <set>
#include <span>
#include <string_view>

#include "base/parse.hpp"
#include "jail/elf_needed.hpp"
#include "jail/image_record.hpp"
#include "jail/library_search.hpp"

namespace evojail {
namespace {

constexpr unsigned max_data_depth = 8;

using Items = std::map<std::string, ImageItem>;

/// A path under the merged /usr of the image: /bin/x is /usr/bin/x, wherever the host has it.
std::string merged(const std::string& path) {
  for (const std::string_view top : {"/bin/", "/sbin/", "/lib/", "/lib64/"}) {
    if (path.starts_with(top)) return "/usr" + path;
  }
  return path;
}

std::string directory_of(const std::string& path) { return path.substr(0, path.find_last_of('/')); }

/// From the link at `path` to `target`: links of the image never lead to the host when it is looked
/// at from outside.
std::string relative_link(const std::string& path, const std::string& target) {
  return std::filesystem::path(target).lexically_relative(directory_of(path));
}

ImageItem link_item(const std::string& target) {
  ImageItem item;
  item.kind = ImageItem::Kind::link;
  item.content = target;
  return item;
}

ImageItem text_item(const std::string& text, mode_t mode) {
  ImageItem item;
  item.kind = ImageItem::Kind::text;
  item.mode = mode;
  item.content = text;
  return item;
}

ImageItem file_item(const std::string& source, const FileIdentity& identity, bool executable) {
  ImageItem item;
  item.kind = ImageItem::Kind::file;
  item.mode = executable ? 0755 : 0644;
  item.source = source;
  item.identity = identity;
  return item;
}

class Planner {
 public:
  Planner(const ImageManifest& manifest, const HostTree& host) : manifest_(manifest), host_(host) {}

  Result<ImagePlan> plan(const std::string& session_shell) {
    for (const auto& path : manifest_.directories) CHECK(put(path, {}));
    for (const auto& link : manifest_.links) CHECK(put_link(link.path, link.target));
    for (const auto& text : manifest_.texts) {
      CHECK(put(text.path, text_item(text.text, 0644)));
    }
    for (const auto& group : manifest_.programs) {
      for (const auto& program : group.programs) {
        CHECK(
            attempt(group.required, group.package, program, [&] { return add_program(program); }));
      }
    }
    for (const auto& group : manifest_.data) {
      for (const auto& path : group.paths) {
        CHECK(attempt(group.required, group.package, path, [&] { return add_data(path, 0); }));
      }
    }
    CHECK(add_session_shell(session_shell));
    CHECK(check_links());
    return finish();
  }

 private:
  /// An optional thing that fails leaves the plan as it was.
  template <class Add>
  Result<void> attempt(bool required, const std::string& package, const std::string& name,
                       const Add& add) {
    auto before = required ? Items{} : items_;
    auto added = add();
    if (added) return {};
    if (required) {
      return std::unexpected(std::move(added)
                                 .error()
                                 .in(fmt::format("the base image needs '{}'", name))
                                 .hint(fmt::format("apt-get install {}", package)));
    }
    items_ = std::move(before);
    left_out_.push_back(added.error().code() == ENOENT ? fmt::format("{}: not installed", name)
                                                       : added.error().message());
    return {};
  }

  Result<void> put(const std::string& path, ImageItem item) {
    // The record has one item a line, its parts between blanks.
    if (path.find_first_of(" \t\n") != std::string::npos) {
      return fail(fmt::format("'{}' cannot go into the base image: its name has blanks", path));
    }
    for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      const auto& [parent, added] = *items_.try_emplace(path.substr(0, slash)).first;
      if (added.kind != ImageItem::Kind::directory) {
        return fail(fmt::format("'{}' cannot go into the base image: '{}' is no directory of it",
                                path, parent));
      }
    }
    const auto [place, added] = items_.try_emplace(path, item);
    if (added || place->second == item) return {};
    return fail(fmt::format("the base image would have two different '{}'", path));
  }

  Result<void> put_link(const std::string& path, const std::string& target) {
    return put(path, link_item(target));
  }

  /// A file of the host at its own place, and a link from where it was asked for.
  Result<std::string> put_host_file(const std::string& asked, const std::string& real,
                                    const FileIdentity& identity, bool executable) {
    std::string path = merged(real);
    CHECK(put(path, file_item(host_.outside(real), identity, executable)));
    if (merged(asked) != path) CHECK(put_link(merged(asked), relative_link(merged(asked), path)));
    return path;
  }

  Result<HostFile> find_program(const std::string& name, std::string& found) {
    if (name.starts_with('/')) {
      found = name;
      return host_.open_file(name);
    }
    for (const auto* directory : {"/usr/bin/", "/usr/sbin/", "/bin/", "/sbin/"}) {
      found = directory + name;
      auto file = host_.open_file(found);
      if (file || file.error().code() != ENOENT) return file;
    }
    return fail_errno("looking in /usr/bin and /usr/sbin for", name, ENOENT);
  }

  Result<void> add_program(const std::string& name) {
    std::string asked;
    TRY(const HostFile file, find_program(name, asked));
    if (!file.executable) return fail(fmt::format("'{}' is not executable", asked));
    CHECK(put_host_file(asked, file.real_path, file.identity, true));
    TRY(const std::string bytes, read_host_file(file));
    return add_needs(bytes, file.real_path);
  }

  Result<void> add_needs(std::string_view bytes, const std::string& path) {
    if (bytes.starts_with("#!")) return check_interpreter(bytes, path);
    const auto view = std::as_bytes(std::span(bytes));
    TRY(const ElfObject object, read_elf(view, path));
    if (!search_) {
      TRY(LibrarySearch search, LibrarySearch::open(host_, object.machine));
      machine_ = object.machine;
      search_ = std::make_unique<LibrarySearch>(std::move(search));
    }
    if (object.machine != machine_) {
      return fail(fmt::format("'{}' is a program for another machine than those before it", path));
    }
    if (!object.interpreter.empty()) {
      TRY(const HostFile loader, host_.open_file(object.interpreter));
      CHECK(put_host_file(object.interpreter, loader.real_path, loader.identity, true));
    }
    return add_libraries(object, path, search_->rpath_of(object, path));
  }

  Result<void> check_interpreter(std::string_view bytes, const std::string& path) {
    const auto words = split_words(trim(bytes.substr(2, bytes.find('\n') - 2)));
    const std::string interpreter = words.empty() ? "" : merged(std::string(words.front()));
    if (items_.contains(interpreter)) return {};
    return fail(fmt::format("'{}' is a script for '{}', which the base image does not have", path,
                            interpreter));
  }

  /// @param rpath what DT_RPATH of the object and of those that load it adds.
  Result<void> add_libraries(const ElfObject& object, const std::string& path,
                             const std::vector<std::string>& rpath) {
    for (const auto& name : object.needed) {
      TRY(const FoundLibrary found, search_->find(name, object, path, rpath));
      const Library& library = *found.library;
      TRY(const std::string place,
          put_host_file(library.name_path, library.path, library.identity, library.executable));
      if (found.needs_link) {
        const std::string link = merged(search_->default_directory() + "/" + name);
        CHECK(put_link(link, relative_link(link, place)));
      }
      auto inherited = search_->rpath_of(library.object, library.path);
      inherited.insert(inherited.end(), rpath.begin(), rpath.end());
      if (!walked_.emplace(library.path, inherited).second) continue;
      CHECK(add_libraries(library.object, library.path, inherited));
    }
    return {};
  }

  Result<void> add_data(const std::string& path, unsigned depth) {
    if (depth > max_data_depth) return fail(fmt::format("'{}' is nested too deeply", path));
    if (host_.is_directory(path)) {
      CHECK(put(merged(path), {}));
      TRY(const std::vector<std::string> names, host_.list(path));
      for (const auto& name : names) CHECK(add_data(fmt::format("{}/{}", path, name), depth + 1));
      return {};
    }
    TRY(const HostFile file, host_.open_file(path));
    return put(merged(path), file_item(host_.outside(file.real_path), file.identity, false));
  }

  Result<void> add_session_shell(const std::string& source) {
    TRY(Fd fd, open_path(source, O_RDONLY | O_NONBLOCK));
    TRY(const HostFile file, look_at_file(std::move(fd), source));
    CHECK(put(manifest_.session_shell, file_item(source, file.identity, true)));
    TRY(const std::string bytes, read_host_file(file));
    return add_needs(bytes, source);
  }

  /// A link that leads nowhere would show in a session only.
  Result<void> check_links() {
    for (const auto& [path, item] : items_) {
      if (item.kind != ImageItem::Kind::link) continue;
      const auto target =
          (std::filesystem::path(directory_of(path) + "/") / item.content).lexically_normal();
      if (!items_.contains(merged(target.string()))) {
        return fail(fmt::format("the base image's link '{}' leads to '{}', which is not in it",
                                path, item.content));
      }
    }
    return {};
  }

  Result<ImagePlan> finish() {
    ImagePlan plan;
    // Its own line would change with every other line: the record names all items but itself.
    for (const auto& [path, item] : items_) plan.record += record_line(path, item);
    plan.id = image_digest(plan.record);
    // Inode numbers of the host are none of a jail's business: nobody in it can read this one.
    CHECK(put(image_record_path, text_item(plan.record, 0600)));
    for (const auto& [path, item] : items_) {
      if (item.kind == ImageItem::Kind::file) plan.bytes += item.identity.size;
      if (item.kind == ImageItem::Kind::text) plan.bytes += item.content.size();
      plan.files += item.kind == ImageItem::Kind::file || item.kind == ImageItem::Kind::text;
    }
    plan.items = std::move(items_);
    plan.left_out = std::move(left_out_);
    return plan;
  }

  static std::string record_line(const std::string& path, const ImageItem& item) {
    switch (item.kind) {
      case ImageItem::Kind::directory:
        return fmt::format("directory {}\n", path);
      case ImageItem::Kind::link:
        return fmt::format("link {} {}\n", path, item.content);
      case ImageItem::Kind::text:
        return fmt::format("text {} {}\n", path, image_digest(item.content));
      case ImageItem::Kind::file:
        break;
    }
    const auto& id = item.identity;
    return fmt::format("file {} {:o} {} {}.{:09} {}\n", path, item.mode, id.size, id.mtime_sec,
                       id.mtime_nsec, id.inode);
  }

  const ImageManifest& manifest_;
  const HostTree& host_;
  Items items_;
  std::vector<std::string> left_out_;
  std::unique_ptr<LibrarySearch> search_;
  std::uint16_t machine_ = 0;
  std::set<std::pair<std::string, std::vector<std::string>>> walked_;
};

}  // namespace

Result<ImagePlan> plan_image(const ImageManifest& manifest, const HostTree& host,
                             const std::string& session_shell) {
  return Planner(manifest, host).plan(session_shell);
}

}  // namespace evojail
