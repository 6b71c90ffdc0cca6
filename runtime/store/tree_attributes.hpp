#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>
#include <vector>

#include "store/tree_copy.hpp"

namespace evojail {

/// One inode named for calls that take a path: a descriptor, O_PATH ones included, by way of
/// /proc/self/fd. For a symbolic link that is the link itself.
[[nodiscard]] std::string proc_path(int fd);

/// All extended attributes of an inode, ACLs and file capabilities among them, a list and its
/// values of 64 KiB each at the most (xattr(7)). The name of the one that failed is left in `name`.
class ExtendedAttributes {
 public:
  /// Reads them from `path`, see proc_path(). Returns an errno value; a file system without them
  /// has none.
  [[nodiscard]] int read(const std::string& path);
  /// Sets them on a new inode, in the order in which they were listed: ext4 lists those that lie in
  /// the inode first, and where both places are full they fit in no other order. On a directory it
  /// comes after all its entries, which must take nothing from its default ACL (rule 8).
  [[nodiscard]] int write(const std::string& path);

  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] const std::string& failed() const { return failed_; }
  /// Whatever their order.
  bool operator==(const ExtendedAttributes& other) const;

 private:
  struct Item {
    std::string name;
    std::string value;
    bool operator==(const Item&) const = default;
  };
  std::vector<Item> items_;
  std::string failed_;
};

/// Gives `name` in `dir` (an empty name: `dir` itself) the owner and, unless it is a symbolic link,
/// the mode in `facts`. In this order: chown(2) takes setuid bits and file capabilities away.
[[nodiscard]] int set_owner_and_mode(int dir, const char* name, const struct statx& facts);

/// Access and modification time to the nanosecond; the last thing to be set.
[[nodiscard]] int set_times(int dir, const char* name, const struct statx& facts);

}  // namespace evojail
