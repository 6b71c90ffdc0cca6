#include "store/tree_manifest.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "store/tree_copy.hpp"
#include "store/tree_digest.hpp"

namespace evojail {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the manifest is written in the machine's own order");

constexpr std::array<char, 8> kMagic{'E', 'V', 'O', 'J', 'T', 'R', 'E', 'E'};
constexpr std::size_t kHeaderCrc = manifest_format::kBlock - sizeof(std::uint32_t);

/// Puts numbers one after the other, without padding.
class Packer {
 public:
  explicit Packer(std::span<std::byte> bytes) : bytes_(bytes) {}
  template <class... T>
  void put(const T&... values) {
    (put_one(values), ...);
  }

 private:
  template <class T>
  void put_one(const T& value) {
    std::memcpy(bytes_.data(), &value, sizeof value);
    bytes_ = bytes_.subspan(sizeof value);
  }
  void put_one(const TreeTime& time) { put(time.seconds, time.nanoseconds); }
  std::span<std::byte> bytes_;
};

class Unpacker {
 public:
  explicit Unpacker(std::span<const std::byte> bytes) : bytes_(bytes) {}
  template <class... T>
  void get(T&... values) {
    (get_one(values), ...);
  }

 private:
  template <class T>
  void get_one(T& value) {
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_ = bytes_.subspan(sizeof value);
  }
  void get_one(TreeTime& time) { get(time.seconds, time.nanoseconds); }
  std::span<const std::byte> bytes_;
};

Result<void> read_exactly(int fd, std::span<std::byte> bytes, std::uint64_t offset) {
  std::size_t got = 0;
  if (const int code = read_part(fd, bytes, offset, got)) {
    return fail_errno("reading", "manifest", code);
  }
  if (got != bytes.size()) return fail("reading 'manifest': it is cut short");
  return {};
}

}  // namespace

namespace manifest_format {

void put_record(std::span<std::byte, kRecord> bytes, const TreeRecord& record) {
  Packer(bytes).put(record.live_inode, record.inc_inode, record.size, record.digest, record.changed,
                    record.modified, record.born, record.mode, record.uid, record.gid,
                    record.device_major, record.device_minor, record.links, record.names,
                    record.flags, record.generation);
}

TreeRecord get_record(std::span<const std::byte, kRecord> bytes) {
  TreeRecord record;
  Unpacker(bytes).get(record.live_inode, record.inc_inode, record.size, record.digest,
                      record.changed, record.modified, record.born, record.mode, record.uid,
                      record.gid, record.device_major, record.device_minor, record.links,
                      record.names, record.flags, record.generation);
  return record;
}

void put_block(Block& block, std::span<const TreeRecord> records) {
  block.fill(std::byte{0});
  std::span<std::byte> bytes = std::span(block).subspan<kBlockHead>();
  for (const auto& record : records) {
    put_record(bytes.first<kRecord>(), record);
    bytes = bytes.subspan(kRecord);
  }
  const auto count = static_cast<std::uint32_t>(records.size());
  std::memcpy(block.data() + 4, &count, sizeof count);
  const std::uint32_t crc = crc32c(std::span(block).subspan<4>());
  std::memcpy(block.data(), &crc, sizeof crc);
}

void put_header(Block& block, const TreeManifestHeader& header, std::uint64_t blocks) {
  block.fill(std::byte{0});
  Packer(block).put(kMagic, kVersion, static_cast<std::uint32_t>(kRecord), header.records,
                    header.names, header.inc_inode, header.inc_born, header.taken,
                    static_cast<std::uint32_t>(header.steady_clock), header.boot_id, blocks);
  const std::uint32_t crc = crc32c(std::span(block).first<kHeaderCrc>());
  std::memcpy(block.data() + kHeaderCrc, &crc, sizeof crc);
}

}  // namespace manifest_format

Result<TreeManifest> TreeManifest::open(int fd) {
  using namespace manifest_format;
  TreeManifest manifest;
  manifest.fd_ = fd;
  Block block;
  CHECK(read_exactly(fd, block, 0));
  std::array<char, 8> magic{};
  std::uint32_t version = 0;
  std::uint32_t record_size = 0;
  std::uint32_t steady = 0;
  std::uint64_t blocks = 0;
  TreeManifestHeader& header = manifest.header_;
  Unpacker(block).get(magic, version, record_size, header.records, header.names, header.inc_inode,
                      header.inc_born, header.taken, steady, header.boot_id, blocks);
  header.steady_clock = steady != 0;
  if (magic != kMagic) return fail("reading 'manifest': it is no manifest of an inc");
  std::uint32_t crc = 0;
  std::memcpy(&crc, block.data() + kHeaderCrc, sizeof crc);
  if (crc != crc32c(std::span(block).first<kHeaderCrc>())) {
    return fail("reading 'manifest': its header is damaged");
  }
  if (version != kVersion || record_size != kRecord) {
    return fail(fmt::format("reading 'manifest': version {} is not known here", version));
  }
  struct stat st{};
  if (::fstat(fd, &st) != 0) return fail_errno("looking at", "manifest");
  const std::uint64_t bytes = blocks * sizeof(std::uint64_t);
  const std::uint64_t end = (blocks + 1) * kBlock + bytes + sizeof crc;
  if (blocks > header.records || end != static_cast<std::uint64_t>(st.st_size)) {
    return fail("reading 'manifest': it is cut short");
  }
  manifest.index_.resize(blocks);
  const auto index = std::as_writable_bytes(std::span(manifest.index_));
  CHECK(read_exactly(fd, index, (blocks + 1) * kBlock));
  CHECK(read_exactly(fd, std::as_writable_bytes(std::span(&crc, 1)), end - sizeof crc));
  if (crc != crc32c(index)) return fail("reading 'manifest': its index is damaged");
  return manifest;
}

Result<std::size_t> TreeManifest::load(std::uint64_t number, manifest_format::Block& block) const {
  using namespace manifest_format;
  CHECK(read_exactly(fd_, block, (number + 1) * kBlock));
  std::uint32_t crc = 0;
  std::uint32_t count = 0;
  Unpacker(block).get(crc, count);
  if (count > kRecordsInBlock || crc != crc32c(std::span(block).subspan<4>())) {
    return fail(fmt::format("reading 'manifest': block {} is damaged", number + 1));
  }
  return count;
}

std::optional<TreeRecord> TreeManifest::find(std::uint64_t live_inode, Cache& cache,
                                             std::uint64_t* place) const {
  using namespace manifest_format;
  const auto behind = std::ranges::upper_bound(index_, live_inode);
  if (behind == index_.begin()) return std::nullopt;
  const auto number = static_cast<std::uint64_t>(behind - index_.begin() - 1);
  auto& slot = cache.slots_[number % Cache::kSlots];
  if (slot.number != number) {
    slot.number = UINT64_MAX;
    const auto count = load(number, slot.block);
    if (!count) return std::nullopt;
    slot.count = *count;
    slot.number = number;
  }
  const auto inode_at = [&](std::size_t at) {
    std::uint64_t inode = 0;
    std::memcpy(&inode, slot.block.data() + kBlockHead + at * kRecord, sizeof inode);
    return inode;
  };
  std::size_t low = 0;
  for (std::size_t high = slot.count; low < high;) {
    const std::size_t middle = (low + high) / 2;
    if (inode_at(middle) < live_inode) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == slot.count || inode_at(low) != live_inode) return std::nullopt;
  if (place != nullptr) *place = number * kRecordsInBlock + low;
  return get_record(std::span(slot.block).subspan(kBlockHead + low * kRecord).first<kRecord>());
}

Result<void> TreeManifest::read_block(std::uint64_t number,
                                      std::vector<TreeRecord>& records) const {
  using namespace manifest_format;
  Block block;
  TRY(const std::size_t count, load(number, block));
  records.clear();
  for (std::size_t i = 0; i < count; ++i) {
    records.push_back(
        get_record(std::span(block).subspan(kBlockHead + i * kRecord).first<kRecord>()));
  }
  return {};
}

}  // namespace evojail
