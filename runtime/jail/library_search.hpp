#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "jail/elf_needed.hpp"
#include "jail/host_tree.hpp"

namespace evojail {

/// One line of ld.so.conf that counts (ldconfig(8)).
struct LoaderConfigLine {
  bool include = false;  ///< `include PATTERN`, otherwise a directory
  std::string text;
};

/// The lines of an ld.so.conf: comments, `hwcap` lines and a directory's old `=TYPE` left out.
[[nodiscard]] std::vector<LoaderConfigLine> parse_loader_config(std::string_view text);

/// $ORIGIN and $LIB of an RPATH or RUNPATH put in (ld.so(8), "Dynamic string tokens"); other tokens
/// are kept, and such a directory is found to be missing.
[[nodiscard]] std::string expand_loader_tokens(std::string_view path, std::string_view origin,
                                               std::string_view lib);

struct Library {
  std::string path;       ///< where the file really lies
  std::string name_path;  ///< the real directory it was found in, with the name it was asked for by
  FileIdentity identity;
  bool executable = false;
  ElfObject object;
};

/// A library and how it was come by.
struct FoundLibrary {
  const Library* library = nullptr;  ///< lives as long as the search
  /// Found by ld.so.conf in a directory where the loader does not look by itself: without the
  /// host's ld.so.cache it needs a link in default_directory().
  bool needs_link = false;
};

/// Finds libraries as the dynamic loader does on the host (ld.so(8)): RPATH, RUNPATH, what
/// ld.so.conf lists, the loader's own directories. It reads the configuration rather than
/// ld.so.cache, which says the same and may be older. Each file is read once.
class LibrarySearch {
 public:
  /// For programs of one machine (e_machine). `host` outlives the search.
  static Result<LibrarySearch> open(const HostTree& host, std::uint16_t machine);

  /// What `by`, lying at `by_path`, gets for DT_NEEDED `name`.
  /// @param rpath directories that it inherits from whoever loads it, as rpath_of() gave them.
  [[nodiscard]] Result<FoundLibrary> find(const std::string& name, const ElfObject& by,
                                          const std::string& by_path,
                                          const std::vector<std::string>& rpath);

  /// The RPATH directories that an object at `path` hands on to those that it loads.
  [[nodiscard]] std::vector<std::string> rpath_of(const ElfObject& object,
                                                  const std::string& path) const;

  /// The first of the loader's own directories.
  [[nodiscard]] const std::string& default_directory() const { return defaults_.front(); }

 private:
  LibrarySearch(const HostTree& host, std::uint16_t machine) : host_(&host), machine_(machine) {}
  [[nodiscard]] std::vector<std::string> expand(const std::vector<std::string>& paths,
                                                const std::string& by_path) const;
  [[nodiscard]] Result<Library> read_library(const std::string& path) const;
  /// nullptr where there is none at `path`, or one of another machine.
  [[nodiscard]] Result<const Library*> look_at(const std::string& path);
  [[nodiscard]] Result<const Library*> look_in(const std::vector<std::string>& directories,
                                               const std::string& name);
  [[nodiscard]] bool is_default(const std::string& directory) const;

  const HostTree* host_;
  std::uint16_t machine_;
  std::string lib_;  ///< $LIB
  std::vector<std::string> configured_;
  std::vector<std::string> defaults_;  ///< real directories
  std::map<std::string, std::unique_ptr<Library>> seen_;
};

}  // namespace evojail
