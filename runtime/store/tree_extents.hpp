#pragma once

#include <sys/stat.h>

#include <cstdint>

namespace evojail {

/// Walks over the parts of an open file that hold data (lseek(2), SEEK_DATA and SEEK_HOLE), widened
/// to blocks of ContentsDigest and cut at `size`.
class DataExtents {
 public:
  /// `facts` as statx(2) gives them: a file without holes costs no call.
  DataExtents(int fd, const struct statx& facts);

  /// The next part at or behind `from`, as [begin, end). False when there is none: the rest is a
  /// hole. An error of the file counts as data, so that reading it finds the error.
  [[nodiscard]] bool next(std::uint64_t from, std::uint64_t& begin, std::uint64_t& end) const;

 private:
  int fd_;
  std::uint64_t size_;
  bool whole_;
};

}  // namespace evojail
