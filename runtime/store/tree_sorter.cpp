#include "store/tree_sorter.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <type_traits>

#include "base/directory.hpp"
#include "store/tree_copy.hpp"

namespace evojail {

static_assert(std::is_trivially_copyable_v<TreeRecord>, "spilled as it lies in memory");

/// One sorted run on its way through the merge: the part of it that is in memory.
struct TreeSorter::Run {
  std::vector<TreeRecord> buffer;
  std::size_t at = 0;
  Spilled rest;  // what is still in the file

  [[nodiscard]] const TreeRecord& front() const { return buffer[at]; }

  /// Steps on; false at the end of the run.
  Result<bool> advance(int file, std::size_t records) {
    if (++at < buffer.size()) return true;
    return refill(file, records);
  }
  Result<bool> refill(int file, std::size_t records) {
    if (rest.records == 0) return false;
    at = 0;
    buffer.resize(std::min<std::uint64_t>(records, rest.records));
    const auto bytes = std::as_writable_bytes(std::span(buffer));
    std::size_t got = 0;
    if (const int code = read_part(file, bytes, rest.offset, got)) {
      return fail_errno("reading", "temporary file", code);
    }
    if (got != bytes.size()) return fail("reading 'temporary file': it is cut short");
    rest.offset += got;
    rest.records -= buffer.size();
    return true;
  }
};

Result<void> TreeSorter::Sink::add(const TreeRecord& record) {
  records_.push_back(record);
  if (records_.size() < sorter_.buffer_) return {};
  sorter_.sort(records_);
  CHECK(sorter_.spill(records_));
  records_.clear();
  return {};
}

void TreeSorter::Sink::finish() {
  if (records_.empty()) return;
  sorter_.sort(records_);
  const std::lock_guard lock(sorter_.mutex_);
  sorter_.kept_.push_back(std::exchange(records_, {}));
}

std::pair<std::uint64_t, std::uint64_t> TreeSorter::key(const TreeRecord& record) const {
  if (order_ == Order::live) return {record.live_inode, record.inc_inode};
  return {record.inc_inode, record.live_inode};
}

/// Keys are sorted first, and then each record, five times as large, is moved once, along the
/// cycles of the permutation.
void TreeSorter::sort(std::span<TreeRecord> records) const {
  struct Place {
    std::pair<std::uint64_t, std::uint64_t> key;
    std::size_t from;
  };
  std::vector<Place> places;
  places.reserve(records.size());
  for (const auto& record : records) places.push_back({key(record), places.size()});
  std::ranges::sort(places, {}, &Place::key);
  for (std::size_t start = 0; start < places.size(); ++start) {
    if (places[start].from == start) continue;
    const TreeRecord first = records[start];
    std::size_t to = start;
    for (;;) {
      const std::size_t from = std::exchange(places[to].from, to);
      if (from == start) break;
      records[to] = records[from];
      to = from;
    }
    records[to] = first;
  }
}

Result<void> TreeSorter::spill(std::span<const TreeRecord> records) {
  const auto bytes = std::as_bytes(records);
  std::uint64_t offset = 0;
  int file = -1;
  {
    const std::lock_guard lock(mutex_);
    if (!file_) {
      TRY(file_, open_unnamed(spill_dir_, ".meta/manifests"));
    }
    file = file_.get();
    offset = file_size_;
    file_size_ += bytes.size();
    spilled_.push_back({offset, records.size()});
  }
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t put =
        ::pwrite(file, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("writing", "temporary file");
    done += static_cast<std::size_t>(put);
  }
  return {};
}

Result<void> TreeSorter::drain(const std::function<Result<void>(const TreeRecord&)>& take) {
  std::vector<Run> runs;
  for (auto& records : kept_) runs.push_back({.buffer = std::move(records), .at = 0, .rest = {}});
  kept_.clear();
  // 8 MiB for all runs together, and where there are very many, a page for each.
  constexpr std::size_t all = (std::size_t{8} << 20) / sizeof(TreeRecord);
  const std::size_t each = std::clamp<std::size_t>(all / (spilled_.size() + 1), 32, 1024);
  for (const auto& part : spilled_) {
    Run run{.buffer = {}, .at = 0, .rest = part};
    CHECK(run.refill(file_.get(), each));
    runs.push_back(std::move(run));
  }
  std::vector<std::size_t> heap(runs.size());
  for (std::size_t i = 0; i < heap.size(); ++i) heap[i] = i;
  const auto later = [&](std::size_t one, std::size_t other) {
    return key(runs[one].front()) > key(runs[other].front());
  };
  std::ranges::make_heap(heap, later);
  while (!heap.empty()) {
    std::ranges::pop_heap(heap, later);
    Run& run = runs[heap.back()];
    CHECK(take(run.front()));
    TRY(const bool more, run.advance(file_.get(), each));
    if (more) {
      std::ranges::push_heap(heap, later);
    } else {
      run.buffer = {};
      heap.pop_back();
    }
  }
  return {};
}

}  // namespace evojail
