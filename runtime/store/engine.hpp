#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "store/tree_clock.hpp"

namespace evojail {

/// One inc to build. The descriptors are directories and stay the caller's.
struct BuildRequest {
  int jail_dir = -1;          ///< JAILDIR/NAME
  int incs_dir = -1;          ///< INCDIR/NAME
  std::string temporary;      ///< the name to build under, in `incs_dir`
  std::string base;           ///< the newest inc to build on, in `incs_dir`; empty: none
  int manifests_dir = -1;     ///< where manifests lie; only with keeps_manifests()
  std::string base_manifest;  ///< the name of the base's, in `manifests_dir`; empty: none
  std::string manifest;       ///< the name to write this inc's under
  /// Asked where the engine's proof wants to know it, twice; without it one may be open.
  std::function<bool()> sessions_open{};
  std::span<const BootId> clean_boots{};  ///< boots after which nothing of the jail was lost
  std::uint64_t keep_free = 0;            ///< bytes of the volume that copying must leave
  unsigned threads = 0;                   ///< 0: as the engine likes
};

struct BuildResult {
  std::vector<std::string> troubles;  ///< not empty: the inc is partial
  std::optional<std::uint64_t> entries;
  std::optional<std::uint64_t> linked;
  std::optional<std::uint64_t> copied_bytes;
  std::optional<std::uint64_t> compared_bytes;
};

/// What a first inc takes of the disk where contents cannot be shared; measured, not exact.
struct BuildCost {
  std::uint64_t bytes = 0;
  std::uint64_t names = 0;
};

struct BuildState {
  std::uint64_t entries = 0;
  std::uint64_t expected_entries = 0;  ///< 0 where unknown
  std::uint64_t bytes = 0;
  bool measuring = false;           ///< nothing is copied yet: it is found out how much there is
  std::optional<BuildCost> cost{};  ///< in one call, before anything is checked or copied
};
using BuildProgress = std::function<void(const BuildState&)>;

/// Told now and then how many entries are gone.
using RemoveProgress = std::function<void(std::uint64_t entries)>;

/// How jails and incs are made on one kind of file system. Invariant of every engine: no inode is
/// reachable both from a jail and from an inc. Any thread may call any function.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  /// "btrfs" or "tree", as in an inc's record.
  [[nodiscard]] virtual std::string_view name() const = 0;

  /// How many threads should call build() at once, each for another jail.
  [[nodiscard]] virtual std::size_t parallel_builds() const = 0;

  /// Whether build() wants the manifest of the inc before and writes one.
  [[nodiscard]] virtual bool keeps_manifests() const = 0;

  /// Makes the empty directory of a jail, root's with mode 0700: a subvolume on btrfs.
  virtual Result<void> make_jail_dir(int parent, const std::string& name) = 0;

  /// Builds an inc under its temporary name; when it returns the inc is on the disk, with its
  /// manifest. What a failure leaves under the temporary names is the caller's to remove.
  virtual Result<BuildResult> build(const BuildRequest& request, const BuildProgress& progress) = 0;

  /// What an inc or jail is, whatever its name: its subvolume's UUID, or its root's inode number
  /// and birth time. Fit for a file name.
  virtual Result<std::string> identify(int dir) = 0;

  /// Whether remove() takes this inc away whole, in one step that a crash cannot halve.
  virtual Result<bool> removes_in_one_step(int inc) = 0;

  /// Removes a jail or inc, or what was left of one, with all that is in it. Missing is no error.
  virtual Result<void> remove(int parent, const std::string& name,
                              const RemoveProgress& progress) = 0;

  /// The read-only property of an inc; no value where the file system has none.
  virtual Result<std::optional<bool>> is_locked(int inc) = 0;
  /// @return false where there is no such property, and nothing was done.
  virtual Result<bool> set_locked(int inc, bool locked) = 0;

  /// Whether an inc has been changed since it was taken, as far as the file system itself can tell;
  /// no value where it cannot.
  virtual Result<std::optional<bool>> written_since_taken(int inc) = 0;

  /// Whether sync() of one descriptor covers the whole volume.
  [[nodiscard]] virtual bool syncs_volume() const = 0;

  /// Puts on the disk what was made, written and renamed before in these directories and files.
  virtual Result<void> sync(std::span<const int> fds) = 0;
};

/// Collects what is to be on the disk before an operation counts as done.
class SyncSet {
 public:
  explicit SyncSet(Engine& engine) : engine_(engine) {}
  void add(Fd fd);
  [[nodiscard]] Result<void> sync();

 private:
  Engine& engine_;
  std::mutex mutex_;
  std::vector<Fd> fds_;
};

/// The engine for the volume that `dir` lies on; any other file system is an error that names
/// `path`.
[[nodiscard]] Result<std::unique_ptr<Engine>> make_engine(int dir, const std::string& path);

}  // namespace evojail
