#include "store/tree_extents.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "store/tree_digest.hpp"

namespace evojail {

DataExtents::DataExtents(int fd, const struct statx& facts)
    : fd_(fd), size_(facts.stx_size), whole_(facts.stx_blocks * 512 >= facts.stx_size) {}

bool DataExtents::next(std::uint64_t from, std::uint64_t& begin, std::uint64_t& end) const {
  if (from >= size_) return false;
  begin = from;
  end = size_;
  if (whole_) return true;
  const off_t data = ::lseek(fd_, static_cast<off_t>(from), SEEK_DATA);
  if (data < 0) return errno != ENXIO;
  const off_t hole = ::lseek(fd_, data, SEEK_HOLE);
  constexpr std::uint64_t block = ContentsDigest::kBlock;
  const auto start = static_cast<std::uint64_t>(data) / block * block;
  begin = std::max(from, start);
  if (begin >= size_) return false;
  if (hole > 0)
    end = std::min((static_cast<std::uint64_t>(hole) + block - 1) / block * block, size_);
  return true;
}

}  // namespace evojail
