#include "store/tree_digest.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace evojail {
namespace {

std::vector<std::byte> bytes(std::size_t size, unsigned seed) {
  std::vector<std::byte> made(size);
  for (auto& byte : made) {
    seed = seed * 1664525 + 1013904223;
    byte = static_cast<std::byte>(seed >> 24);
  }
  return made;
}

std::uint64_t digest_of(std::span<const std::byte> contents) {
  ContentsDigest digest;
  digest.add(0, contents);
  return digest.value();
}

// The vectors of RFC 3720, B.4, and the usual check value.
TEST(Crc32c, KnownVectors) {
  std::vector<std::byte> block(32, std::byte{0});
  EXPECT_EQ(crc32c(block), 0x8A9136AAU);
  std::ranges::fill(block, std::byte{0xFF});
  EXPECT_EQ(crc32c(block), 0x62A8AB43U);
  for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<std::byte>(i);
  EXPECT_EQ(crc32c(block), 0x46DD794EU);
  EXPECT_EQ(crc32c(std::as_bytes(std::span(std::string_view("123456789")))), 0xE3069283U);
}

TEST(Crc32c, GoesOnWhereItStopped) {
  const auto all = bytes(1001, 1);
  for (const std::size_t cut : {0U, 1U, 7U, 8U, 500U, 1001U}) {
    const std::span whole(all);
    EXPECT_EQ(crc32c(whole.subspan(cut), crc32c(whole.first(cut))), crc32c(whole)) << cut;
  }
}

TEST(ContentsDigest, BlocksInAnyOrderAndAnyPieces) {
  const auto all = bytes(5 * 4096 + 17, 2);
  const std::span whole(all);
  ContentsDigest backwards;
  backwards.add(4 * 4096, whole.subspan(4 * 4096));
  backwards.add(4096, whole.subspan(4096, 3 * 4096));
  backwards.add(0, whole.first(4096));
  EXPECT_EQ(backwards.value(), digest_of(whole));
}

TEST(ContentsDigest, HolesAndZerosAreTheSame) {
  auto all = bytes(6 * 4096, 3);
  std::fill(all.begin() + 4096, all.begin() + 3 * 4096, std::byte{0});
  const std::span whole(all);
  ContentsDigest sparse;
  sparse.add(0, whole.first(4096));
  sparse.add(3 * 4096, whole.subspan(3 * 4096));
  EXPECT_EQ(sparse.value(), digest_of(whole));
  EXPECT_EQ(digest_of(std::vector<std::byte>(10000, std::byte{0})), 0U);
}

TEST(ContentsDigest, NoticesAnyBitAndSwappedBlocks) {
  auto all = bytes(3 * 4096 + 100, 4);
  const auto before = digest_of(all);
  for (std::size_t at = 0; at < all.size(); at += 97) {
    all[at] ^= std::byte{4};
    EXPECT_NE(digest_of(all), before) << at;
    all[at] ^= std::byte{4};
  }
  EXPECT_EQ(digest_of(all), before);
  std::swap_ranges(all.begin(), all.begin() + 4096, all.begin() + 4096);
  EXPECT_NE(digest_of(all), before);
}

}  // namespace
}  // namespace evojail
