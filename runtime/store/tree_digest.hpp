#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace evojail {

/// CRC-32C (Castagnoli; RFC 3720, B.4) of `bytes`, going on from `crc`, 0 at the start. With the
/// processor's own instruction where it has one.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc = 0);

/// A digest of a file's contents against rot on the disk, not against people: the sum, over its
/// blocks of 4,096 bytes (the last one shorter) that hold anything but zeros, of a number mixed
/// from the block's place and CRC-32C. So blocks may come in any order, and a hole and a run of
/// zeros are the same: a sparse file of eight exabytes costs what is in it.
class ContentsDigest {
 public:
  static constexpr std::size_t kBlock = 4096;

  /// Adds the bytes at `offset`, a multiple of kBlock; a length that is none ends the file.
  void add(std::uint64_t offset, std::span<const std::byte> bytes);
  [[nodiscard]] std::uint64_t value() const { return sum_; }

 private:
  std::uint64_t sum_ = 0;
};

}  // namespace evojail
