#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace evojail {

/// One thing in a tree that could not be handled, and why. The path is relative to the tree's root
/// and made of the client's own bytes: escape it before it reaches a terminal.
struct TreeTrouble {
  std::string path;
  std::string reason;
};

/// Collects troubles from any number of threads: all are counted, the first `limit` are kept.
class TreeTroubles {
 public:
  explicit TreeTroubles(std::size_t limit = 100) : limit_(limit) {}

  /// `name` in the directory open at `dir`, whose path is asked of /proc only now. An empty name
  /// stands for the directory itself.
  void add(int dir, std::string_view name, std::string_view what, int code);
  /// The same with a reason in words.
  void add(int dir, std::string_view name, std::string_view reason);
  /// The path up to here (the root of the tree that descriptors are named in) is left out. Before
  /// any thread is started.
  void set_root(int root);

  /// The path by which a trouble would be listed.
  [[nodiscard]] std::string path(int dir, std::string_view name) const;
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] std::vector<TreeTrouble> list() const;
  void clear();

 private:
  mutable std::mutex mutex_;
  std::size_t limit_;
  std::string root_;
  std::uint64_t count_ = 0;
  std::vector<TreeTrouble> list_;
};

/// How far a walk over a tree has come.
struct TreeProgress {
  std::uint64_t entries = 0;           ///< names handled
  std::uint64_t expected_entries = 0;  ///< names that there will be, from the base; 0 where unknown
  std::uint64_t bytes = 0;             ///< bytes of contents written or read
};

/// Called from the walk's threads, one at a time, ten times a second at most.
using TreeProgressCallback = std::function<void(const TreeProgress&)>;

}  // namespace evojail
