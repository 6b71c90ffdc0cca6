#include "jail/library_search.hpp"

#include <elf.h>
#include <fmt/format.h>
#include <fnmatch.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "base/parse.hpp"

namespace evojail {
namespace {

constexpr unsigned max_includes = 8;

/// Debian's multiarch directory, which is also what its loader puts for $LIB
/// (dpkg-architecture(1)).
Result<std::string> multiarch_of(std::uint16_t machine) {
  if (machine == EM_X86_64) return "x86_64-linux-gnu";
  if (machine == EM_AARCH64) return "aarch64-linux-gnu";
  return fail(fmt::format("programs for ELF machine {} are not supported", machine));
}

std::string directory_of(const std::string& path) { return path.substr(0, path.find_last_of('/')); }

std::string name_of(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

/// The files that an `include` of `file` means: a pattern in its last component (glob(7)).
Result<std::vector<std::string>> match_files(const HostTree& host, const std::string& file,
                                             const std::string& pattern) {
  const std::string path =
      pattern.starts_with('/') ? pattern : fmt::format("{}/{}", directory_of(file), pattern);
  const std::string directory = directory_of(path);
  const std::string last = name_of(path);
  std::vector<std::string> files;
  if (!host.is_directory(directory)) return files;
  TRY(const std::vector<std::string> names, host.list(directory));
  for (const auto& name : names) {
    if (::fnmatch(last.c_str(), name.c_str(), FNM_PERIOD) == 0) {
      files.push_back(fmt::format("{}/{}", directory, name));
    }
  }
  return files;
}

Result<void> read_configuration(const HostTree& host, const std::string& file, unsigned depth,
                                std::vector<std::string>& directories) {
  if (depth > max_includes) return fail(fmt::format("'{}': included too deeply", file));
  const auto opened = host.open_file(file);
  if (!opened && opened.error().code() == ENOENT) return {};
  if (!opened) return std::unexpected(opened.error());
  TRY(const std::string text, read_host_file(*opened));
  for (const auto& line : parse_loader_config(text)) {
    if (!line.include) {
      if (line.text.starts_with('/')) directories.push_back(line.text);
      continue;
    }
    TRY(const std::vector<std::string> files, match_files(host, file, line.text));
    for (const auto& included : files) {
      CHECK(read_configuration(host, included, depth + 1, directories));
    }
  }
  return {};
}

}  // namespace

std::vector<LoaderConfigLine> parse_loader_config(std::string_view text) {
  std::vector<LoaderConfigLine> found;
  for (auto line : split_lines(text)) {
    line = trim(line.substr(0, line.find('#')));
    const auto words = split_words(line);
    if (words.empty() || words.front() == "hwcap") continue;
    if (words.front() == "include") {
      for (const auto pattern : std::span(words).subspan(1)) {
        found.push_back({.include = true, .text = std::string(pattern)});
      }
      continue;
    }
    found.push_back({.include = false, .text = std::string(trim(line.substr(0, line.find('='))))});
  }
  return found;
}

std::string expand_loader_tokens(std::string_view path, std::string_view origin,
                                 std::string_view lib) {
  std::string expanded;
  while (!path.empty()) {
    bool replaced = false;
    for (const auto& [name, value] :
         {std::pair{std::string_view("ORIGIN"), origin}, std::pair{std::string_view("LIB"), lib}}) {
      for (const auto& token : {fmt::format("${{{}}}", name), fmt::format("${}", name)}) {
        if (replaced || !path.starts_with(token)) continue;
        expanded += value;
        path.remove_prefix(token.size());
        replaced = true;
      }
    }
    if (replaced) continue;
    expanded += path.front();
    path.remove_prefix(1);
  }
  return expanded;
}

Result<LibrarySearch> LibrarySearch::open(const HostTree& host, std::uint16_t machine) {
  LibrarySearch search(host, machine);
  TRY(const std::string multiarch, multiarch_of(machine));
  search.lib_ = "lib/" + multiarch;
  CHECK(read_configuration(host, "/etc/ld.so.conf", 0, search.configured_));
  for (const auto& directory : {"/lib/" + multiarch, "/usr/lib/" + multiarch, std::string("/lib"),
                                std::string("/usr/lib")}) {
    auto real = host.real_directory(directory);
    if (!real && real.error().code() == ENOENT) continue;
    if (!real) return std::unexpected(std::move(real).error());
    if (std::ranges::find(search.defaults_, *real) == search.defaults_.end()) {
      search.defaults_.push_back(*std::move(real));
    }
  }
  if (search.defaults_.empty()) return fail("there is no directory of libraries, /usr/lib");
  return search;
}

std::vector<std::string> LibrarySearch::expand(const std::vector<std::string>& paths,
                                               const std::string& by_path) const {
  std::vector<std::string> expanded;
  expanded.reserve(paths.size());
  for (const auto& path : paths) {
    expanded.push_back(expand_loader_tokens(path, directory_of(by_path), lib_));
  }
  return expanded;
}

std::vector<std::string> LibrarySearch::rpath_of(const ElfObject& object,
                                                 const std::string& path) const {
  return expand(object.rpath, path);
}

bool LibrarySearch::is_default(const std::string& directory) const {
  return std::ranges::find(defaults_, directory) != defaults_.end();
}

Result<Library> LibrarySearch::read_library(const std::string& path) const {
  TRY(HostFile file, host_->open_file(path));
  TRY(const std::string bytes, read_host_file(file));
  const auto view = std::as_bytes(std::span(bytes));
  // The loader passes over a library of another machine: those of i386 may lie in the way.
  if (elf_machine(view) != machine_) return fail_errno("opening", path, ENOENT);
  TRY(ElfObject object, read_elf(view, path));
  TRY(const std::string directory, host_->real_directory(directory_of(path)));
  return Library{.path = std::move(file.real_path),
                 .name_path = directory + "/" + name_of(path),
                 .identity = file.identity,
                 .executable = file.executable,
                 .object = std::move(object)};
}

Result<const Library*> LibrarySearch::look_at(const std::string& path) {
  if (const auto known = seen_.find(path); known != seen_.end()) return known->second.get();
  auto library = read_library(path);
  if (!library && library.error().code() != ENOENT && library.error().code() != ENOTDIR) {
    return std::unexpected(std::move(library).error());
  }
  auto& place = seen_[path];
  if (library) place = std::make_unique<Library>(*std::move(library));
  return place.get();
}

Result<const Library*> LibrarySearch::look_in(const std::vector<std::string>& directories,
                                              const std::string& name) {
  for (const auto& directory : directories) {
    if (!directory.starts_with('/')) continue;
    TRY(const Library* library, look_at(fmt::format("{}/{}", directory, name)));
    if (library != nullptr) return library;
  }
  return nullptr;
}

Result<FoundLibrary> LibrarySearch::find(const std::string& name, const ElfObject& by,
                                         const std::string& by_path,
                                         const std::vector<std::string>& rpath) {
  const Library* library = nullptr;
  if (name.find('/') != std::string::npos) {
    TRY(library, look_at(expand_loader_tokens(name, directory_of(by_path), lib_)));
    if (library != nullptr) return FoundLibrary{.library = library};
  } else {
    // ld.so(8): an object with a RUNPATH uses nobody's RPATH.
    auto own = expand(by.runpath.empty() ? by.rpath : by.runpath, by_path);
    if (by.runpath.empty()) own.insert(own.end(), rpath.begin(), rpath.end());
    TRY(library, look_in(own, name));
    if (library != nullptr) return FoundLibrary{.library = library};
    TRY(library, look_in(configured_, name));
    if (library != nullptr) {
      const bool needs_link = !is_default(directory_of(library->name_path));
      return FoundLibrary{.library = library, .needs_link = needs_link};
    }
    TRY(library, look_in(defaults_, name));
    if (library != nullptr) return FoundLibrary{.library = library};
  }
  return fail(
      fmt::format("'{}' needs '{}', which is in none of the directories that its loader "
                  "looks in",
                  by_path, name));
}

}  // namespace evojail
