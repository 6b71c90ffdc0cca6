#pragma once

#include <sys/stat.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace evojail {

/// ext4's EXT4_LINK_MAX; xfs would take more, but an inc may be moved.
constexpr std::uint64_t kMostLinks = 65000;

/// Finds the copy of a live inode that has several names (rule 7). The map from one to the other is
/// a directory of the new inc, in which each such copy has one more name: it needs no memory
/// however many groups there are, and any thread can link from it.
class TreeGroups {
 public:
  /// Makes the directory `name` in `inc`.
  [[nodiscard]] static Result<TreeGroups> create(int inc, const std::string& name);
  TreeGroups(TreeGroups&&) = default;

  [[nodiscard]] int directory() const { return dir_.get(); }

  /// The right to copy one inode: other threads that come to the same one wait until it is let go.
  class Turn {
   public:
    explicit Turn(TreeGroups& groups, std::string key);
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();

    /// Links the group's copy to `name` in `dir`. ENOENT: there is none yet. The last of 65,000
    /// names takes the directory's own.
    [[nodiscard]] int link_to(int dir, const char* name);
    /// `name` in `dir` is the group's copy.
    [[nodiscard]] int publish(int dir, const char* name);

   private:
    TreeGroups& groups_;
    const std::string key_;
  };

  /// What a group goes by: number, birth and last change of the live inode, so that neither a
  /// number that is used again nor a change in the middle of the walk meets an old copy.
  [[nodiscard]] static std::string key(const struct statx& live);

 private:
  struct Turns {
    std::mutex mutex;
    std::condition_variable left;
    std::vector<std::string> taken;  // one a thread at the most
  };

  explicit TreeGroups(Fd dir) : dir_(std::move(dir)), turns_(std::make_unique<Turns>()) {}

  Fd dir_;
  std::unique_ptr<Turns> turns_;
};

}  // namespace evojail
