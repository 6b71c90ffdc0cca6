#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "store/tree_record.hpp"

namespace evojail {

/// What a manifest says about its inc as a whole.
struct TreeManifestHeader {
  std::uint64_t records = 0;
  std::uint64_t names = 0;      ///< names in the inc, directories included, its root not
  std::uint64_t inc_inode = 0;  ///< the inc's root, and with its time of birth the inc's identity
  TreeTime inc_born;
  TreeTime taken;                       ///< T of rule 2
  bool steady_clock = false;            ///< REALTIME moved less than 1 s against BOOTTIME
  std::array<std::byte, 16> boot_id{};  ///< of the boot in which it was written
};

/// The file, version 1, little-endian, in blocks of 4,096 bytes:
///
///   block 0      "EVOJTREE", version u32, size of a record u32, the header's fields, CRC-32C
///   then         blocks of records: CRC-32C of what follows u32, count u32, records of 104 bytes
///   in
///                the order of (live inode, inc inode)
///   at the end   the index: the first live inode of each block of records, u64 each, then CRC-32C
///
/// A reader needs the index in memory, 8 bytes for 39 inodes, and one block at a time. Reads, not a
/// map: a damaged disk gives an error then, not SIGBUS.
namespace manifest_format {
constexpr std::size_t kBlock = 4096;
constexpr std::size_t kRecord = 104;
constexpr std::size_t kBlockHead = 8;
constexpr std::size_t kRecordsInBlock = (kBlock - kBlockHead) / kRecord;
constexpr std::uint32_t kVersion = 1;

using Block = std::array<std::byte, kBlock>;

void put_record(std::span<std::byte, kRecord> bytes, const TreeRecord& record);
[[nodiscard]] TreeRecord get_record(std::span<const std::byte, kRecord> bytes);
/// Fills a block of records and its head.
void put_block(Block& block, std::span<const TreeRecord> records);
/// The header and where the index lies, as one block.
void put_header(Block& block, const TreeManifestHeader& header, std::uint64_t blocks);
}  // namespace manifest_format

/// A manifest open for reading, by any number of threads at once.
class TreeManifest {
 public:
  /// Blocks that one thread keeps at hand: neighbours in a directory are neighbours in the
  /// manifest.
  class Cache {
   public:
    Cache() : slots_(kSlots) {}

   private:
    friend class TreeManifest;
    static constexpr std::size_t kSlots = 64;
    struct Slot {
      std::uint64_t number = UINT64_MAX;
      std::size_t count = 0;
      manifest_format::Block block;
    };
    std::vector<Slot> slots_;
  };

  /// Reads header and index from `fd`, which stays the caller's. A file of another format or with a
  /// wrong checksum is an error.
  [[nodiscard]] static Result<TreeManifest> open(int fd);

  [[nodiscard]] const TreeManifestHeader& header() const { return header_; }

  /// The record of a live inode; none where it has none or its block cannot be read, which costs a
  /// comparison, never a wrong link.
  /// `place`, where given, tells the how manieth record it is.
  [[nodiscard]] std::optional<TreeRecord> find(std::uint64_t live_inode, Cache& cache,
                                               std::uint64_t* place = nullptr) const;

  /// How many blocks of records there are, and the records of one, for whoever reads all.
  [[nodiscard]] std::uint64_t blocks() const { return index_.size(); }
  [[nodiscard]] Result<void> read_block(std::uint64_t number,
                                        std::vector<TreeRecord>& records) const;

 private:
  [[nodiscard]] Result<std::size_t> load(std::uint64_t number, manifest_format::Block& block) const;

  int fd_ = -1;
  TreeManifestHeader header_;
  std::vector<std::uint64_t> index_;
};

}  // namespace evojail
