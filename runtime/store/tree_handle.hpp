#pragma once

#include <sys/stat.h>

#include <cstdint>

#include "base/fd.hpp"

namespace evojail {

/// The generation of the inode open at `fd`, from its file handle (name_to_handle_at(2)): together
/// with the inode's number it names the inode for good. Returns an errno value.
[[nodiscard]] int inode_generation(int fd, std::uint32_t& generation);

/// Opens the directory with this inode number and generation on the volume of `root`
/// (open_by_handle_at(2)), if it lies below `root`: the way up by ".." leads there in at most 256
/// steps. That is how a directory that the client moved is found in the base again; what lies
/// outside of it is never used.
[[nodiscard]] int open_directory_below(int root, std::uint64_t inode, std::uint32_t generation,
                                       Fd& directory);

}  // namespace evojail
