#include "store/tree_compare.hpp"

#include <algorithm>
#include <cstring>

#include "store/tree_digest.hpp"
#include "store/tree_extents.hpp"

namespace evojail {
namespace {

/// The next part at which either file holds data.
bool next_of_either(const DataExtents& one, const DataExtents& other, std::uint64_t from,
                    std::uint64_t& begin, std::uint64_t& end) {
  std::uint64_t other_begin = 0;
  std::uint64_t other_end = 0;
  const bool in_one = one.next(from, begin, end);
  const bool in_other = other.next(from, other_begin, other_end);
  if (in_other && (!in_one || other_begin < begin)) {
    begin = other_begin;
    end = other_end;
  }
  return in_one || in_other;
}

}  // namespace

CompareResult compare_contents(int live, const struct statx& live_facts, int base,
                               const struct statx& base_facts, std::span<std::byte> buffer,
                               TreeMeter& meter) {
  CompareResult result;
  if (live_facts.stx_size != base_facts.stx_size) return result;
  const DataExtents live_extents(live, live_facts);
  const DataExtents base_extents(base, base_facts);
  constexpr std::size_t block = ContentsDigest::kBlock;
  const std::size_t half = buffer.size() / 2 / block * block;
  ContentsDigest digest;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  for (std::uint64_t at = 0; next_of_either(live_extents, base_extents, at, begin, end); at = end) {
    for (std::uint64_t offset = begin; offset < end;) {
      const auto length = std::min<std::uint64_t>(half, end - offset);
      const auto live_part = buffer.first(length);
      const auto base_part = buffer.subspan(half, length);
      std::size_t live_got = 0;
      std::size_t base_got = 0;
      if (const int code = read_part(live, live_part, offset, live_got)) {
        result.fault = {.code = code, .writing = false};
        return result;
      }
      if (const int code = read_part(base, base_part, offset, base_got)) {
        result.fault = {.code = code, .writing = true};
        return result;
      }
      result.bytes += live_got;
      meter.add(0, live_got);
      if (live_got != length || base_got != length ||
          std::memcmp(live_part.data(), base_part.data(), length) != 0) {
        return result;
      }
      digest.add(offset, live_part);
      offset += length;
    }
  }
  result.equal = true;
  result.digest = digest.value();
  return result;
}

}  // namespace evojail
