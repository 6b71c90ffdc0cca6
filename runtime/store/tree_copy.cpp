#include "store/tree_copy.hpp"

#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "store/tree_digest.hpp"
#include "store/tree_extents.hpp"

namespace evojail {
namespace {

int write_at(int fd, std::span<const std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return 0;
}

}  // namespace

int read_part(int fd, std::span<std::byte> part, std::uint64_t offset, std::size_t& got) {
  got = 0;
  while (got < part.size()) {
    const ssize_t size =
        ::pread(fd, part.data() + got, part.size() - got, static_cast<off_t>(offset + got));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return errno;
    if (size == 0) return 0;
    got += static_cast<std::size_t>(size);
  }
  return 0;
}

Result<CopyResult> copy_contents(int source, const struct statx& facts, int target,
                                 std::span<std::byte> buffer, TreeBudget& budget,
                                 TreeMeter& meter) {
  CopyResult result;
  ContentsDigest digest;
  const DataExtents extents(source, facts);
  std::uint64_t written_to = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool shrunk = false;
  for (std::uint64_t at = 0; !shrunk && extents.next(at, begin, end); at = end) {
    for (std::uint64_t offset = begin; offset < end;) {
      auto part = buffer.first(std::min<std::uint64_t>(buffer.size(), end - offset));
      std::size_t got = 0;
      if (const int code = read_part(source, part, offset, got)) {
        result.fault = {.code = code, .writing = false};
        return result;
      }
      shrunk = got < part.size();
      if (got == 0) break;
      part = part.first(got);
      CHECK(budget.spend(got));
      if (const int code = write_at(target, part, offset)) {
        result.fault = {.code = code, .writing = true};
        return result;
      }
      digest.add(offset, part);
      result.bytes += got;
      meter.add(0, got);
      offset += got;
      written_to = offset;
      if (shrunk) break;
    }
  }
  if (written_to < facts.stx_size && ::ftruncate(target, static_cast<off_t>(facts.stx_size)) != 0) {
    result.fault = {.code = errno, .writing = true};
  }
  result.digest = digest.value();
  return result;
}

TreeFault clone_contents(int source, int target) {
  if (::ioctl(target, FICLONE, source) == 0) return {};
  const int code = errno;
  // What the volume lacks ends the inc; the rest may be one file's own (EIO, a swap file's
  // ETXTBSY).
  const bool volume = code == EOPNOTSUPP || code == ENOTTY || code == EXDEV || code == EINVAL ||
                      code == ENOSPC || code == EDQUOT || code == EROFS;
  return {.code = code, .writing = volume};
}

}  // namespace evojail
