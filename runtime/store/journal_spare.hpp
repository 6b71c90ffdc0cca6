#pragma once

#include <string>

#include "base/result.hpp"

namespace evojail {

/// Makes the symbolic link that is an entry of the journal; on a file system that is full, with
/// what keep_spare() held back for it.
[[nodiscard]] Result<void> make_entry(int dir, const std::string& name, const std::string& text,
                                      const std::string& path);

/// Holds back, in the journal's directory, an inode and a few blocks for the day on which the file
/// system has none left: without them nothing could be removed any more, since a removal begins
/// with an entry. Where it cannot be had, the end of the next operation tries again.
void keep_spare(int dir);

}  // namespace evojail
