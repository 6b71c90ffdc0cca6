#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace evojail {

/// One inc to build. The descriptors are directories and stay the caller's.
struct BuildRequest {
  std::string jail;           ///< for messages
  int jail_dir = -1;          ///< JAILDIR/NAME
  int incs_dir = -1;          ///< INCDIR/NAME
  std::string temporary;      ///< the name to build under, in `incs_dir`
  std::string base;           ///< the newest complete inc, in `incs_dir`; empty: none
  std::string base_manifest;  ///< path of its manifest; empty: none is kept
  std::string manifest;       ///< path to write this inc's manifest to
  bool sessions_open = false;
  bool clean_stop = true;
  std::uint64_t keep_free = 0;  ///< bytes of the volume that copying must leave
};

struct BuildResult {
  std::vector<std::string> troubles;  ///< not empty: the inc is partial
  std::optional<std::uint64_t> entries;
  std::optional<std::uint64_t> linked;
  std::optional<std::uint64_t> copied_bytes;
};

/// Told of the request that moved, how far its tree is, and whether it is finished. Called from one
/// thread at a time.
using BuildProgress =
    std::function<void(std::size_t request, std::uint64_t entries, std::uint64_t bytes, bool done)>;

/// How jails and incs are made on one kind of file system. Invariant of every engine: no inode is
/// reachable both from a jail and from an inc.
class Engine {
 public:
  virtual ~Engine() = default;

  /// "btrfs" or "tree", as in an inc's record.
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// How many incs build() should get at once.
  [[nodiscard]] virtual std::size_t batch_size() const = 0;

  /// Makes the empty directory of a jail: a subvolume on btrfs.
  virtual Result<void> make_jail_dir(int parent, const std::string& name) = 0;

  /// Builds incs under their temporary names; a finished one is on the disk. What a failed one
  /// leaves under its temporary name is the caller's to remove.
  virtual std::vector<Result<BuildResult>> build(std::span<const BuildRequest> requests,
                                                 unsigned threads,
                                                 const BuildProgress& progress) = 0;

  /// What an inc or jail is, whatever its name: its subvolume's UUID, or its root's inode number
  /// and birth time. Fit for a file name.
  virtual Result<std::string> identify(int dir) = 0;

  /// Whether remove() takes the whole inc away in one step that a crash cannot halve.
  [[nodiscard]] virtual bool removes_in_one_step() const = 0;

  /// Removes a jail or inc, or what was left of one, with all that is in it. Missing is no error.
  virtual Result<void> remove(int parent, const std::string& name,
                              const std::function<void(std::uint64_t)>& progress) = 0;

  /// The read-only property of an inc; false and no effect where the file system has none.
  virtual Result<bool> is_locked(int inc) = 0;
  virtual Result<bool> set_locked(int inc, bool locked) = 0;

  /// Puts on the disk what was made, written and renamed in these directories and files before.
  virtual Result<void> sync(std::span<const int> fds) = 0;
};

/// The engine for the volume that `dir` lies on; any other file system is an error that names
/// `path`.
[[nodiscard]] Result<std::unique_ptr<Engine>> make_engine(int dir, const std::string& path);

}  // namespace evojail
