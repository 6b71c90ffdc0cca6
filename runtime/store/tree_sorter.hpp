#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "store/tree_record.hpp"

namespace evojail {

/// Sorts any number of records in little memory: each thread sorts what fits its buffer, full
/// buffers go to an unnamed file, and all are merged at the end.
class TreeSorter {
 public:
  enum class Order {
    live,  ///< by live inode, then by the inc's
    inc,   ///< by the inc's inode, then by the live one
  };
  /// What all threads together hold before they spill.
  static constexpr std::size_t kMemory = std::size_t{16} << 20;

  /// `spill_dir`: a directory on whose volume the unnamed file (O_TMPFILE, open(2)) is made, if one
  /// is needed at all. `sinks`: how many there will be.
  TreeSorter(Order order, int spill_dir, unsigned sinks)
      : order_(order), spill_dir_(spill_dir), buffer_(kMemory / sizeof(TreeRecord) / sinks) {}

  /// One thread's way in. What it holds is handed over by finish().
  class Sink {
   public:
    explicit Sink(TreeSorter& sorter) : sorter_(sorter) {}
    [[nodiscard]] Result<void> add(const TreeRecord& record);
    void finish();

   private:
    TreeSorter& sorter_;
    std::vector<TreeRecord> records_;
  };

  /// Gives every record in order, once all sinks are finished.
  [[nodiscard]] Result<void> drain(const std::function<Result<void>(const TreeRecord&)>& take);

 private:
  struct Run;
  struct Spilled {
    std::uint64_t offset = 0;
    std::uint64_t records = 0;
  };

  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> key(const TreeRecord& record) const;
  void sort(std::span<TreeRecord> records) const;
  [[nodiscard]] Result<void> spill(std::span<const TreeRecord> records);

  const Order order_;
  const int spill_dir_;
  const std::size_t buffer_;  // records
  std::mutex mutex_;
  Fd file_;
  std::uint64_t file_size_ = 0;
  std::vector<Spilled> spilled_;
  std::vector<std::vector<TreeRecord>> kept_;
};

}  // namespace evojail
