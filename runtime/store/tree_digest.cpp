#include "store/tree_digest.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace evojail {
namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;  // 0x1EDC6F41 with its bits reversed

constexpr auto kTables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t table = 1; table < tables.size(); ++table) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t below = tables[table - 1][byte];
      tables[table][byte] = (below >> 8) ^ tables[0][below & 0xFF];
    }
  }
  return tables;
}();

/// Eight bytes at a time through eight tables ("slicing by 8").
std::uint32_t crc_by_table(const std::byte* bytes, std::size_t size, std::uint32_t crc) {
  for (; size >= 8; size -= 8, bytes += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    word ^= crc;
    crc = 0;
    for (std::size_t i = 0; i < 8; ++i) crc ^= kTables[7 - i][(word >> (8 * i)) & 0xFF];
  }
  for (; size != 0; --size, ++bytes) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ std::to_integer<std::uint32_t>(*bytes)) & 0xFF];
  }
  return crc;
}

#if defined(__x86_64__)
bool has_instruction() { return __builtin_cpu_supports("sse4.2") != 0; }

__attribute__((target("sse4.2"))) std::uint32_t crc_by_instruction(const std::byte* bytes,
                                                                   std::size_t size,
                                                                   std::uint32_t crc) {
  std::uint64_t wide = crc;
  for (; size >= 8; size -= 8, bytes += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    wide = _mm_crc32_u64(wide, word);
  }
  crc = static_cast<std::uint32_t>(wide);
  for (; size != 0; --size, ++bytes)
    crc = _mm_crc32_u8(crc, std::to_integer<unsigned char>(*bytes));
  return crc;
}
#elif defined(__aarch64__)
bool has_instruction() { return (::getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }

__attribute__((target("+crc"))) std::uint32_t crc_by_instruction(const std::byte* bytes,
                                                                 std::size_t size,
                                                                 std::uint32_t crc) {
  for (; size >= 8; size -= 8, bytes += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    crc = __crc32cd(crc, word);
  }
  for (; size != 0; --size, ++bytes) crc = __crc32cb(crc, std::to_integer<unsigned char>(*bytes));
  return crc;
}
#else
bool has_instruction() { return false; }
constexpr auto crc_by_instruction = crc_by_table;
#endif

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

bool all_zero(std::span<const std::byte> bytes) {
  return std::ranges::all_of(bytes, [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc) {
  static const bool fast = has_instruction();
  return ~(fast ? crc_by_instruction : crc_by_table)(bytes.data(), bytes.size(), ~crc);
}

void ContentsDigest::add(std::uint64_t offset, std::span<const std::byte> bytes) {
  // Of all blocks that a zero block could be taken for, only those with its CRC need a look.
  static constexpr std::array<std::byte, kBlock> zeros{};
  static const std::uint32_t zero_crc = crc32c(zeros);
  for (std::uint64_t block = offset / kBlock; !bytes.empty(); ++block) {
    const auto part = bytes.first(std::min(bytes.size(), kBlock));
    bytes = bytes.subspan(part.size());
    const std::uint32_t crc = crc32c(part);
    const bool maybe_zero = part.size() < kBlock || crc == zero_crc;
    if (maybe_zero && all_zero(part)) continue;
    sum_ += mix(block * 0x9E3779B97F4A7C15 + crc);
  }
}

}  // namespace evojail
