#include "store/tree_manifest_writer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <string_view>
#include <utility>

#include "store/tree_digest.hpp"

namespace evojail {
namespace {

constexpr std::size_t kFlushAt = 64 * manifest_format::kBlock;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

Result<TreeManifestWriter> TreeManifestWriter::create(int dir, const std::string& name) {
  TRY(Fd own_dir, duplicate(dir));
  TRY(Fd file, open_at(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  return TreeManifestWriter(std::move(file), std::move(own_dir), name);
}

Result<TreeManifestWriter> TreeManifestWriter::onto(int file) {
  TRY(Fd own, duplicate(file));
  return TreeManifestWriter(std::move(own), Fd(), "temporary file");
}

TreeManifestWriter::TreeManifestWriter(Fd file, Fd dir, std::string name)
    : file_(std::move(file)),
      dir_(std::move(dir)),
      name_(std::move(name)),
      written_(manifest_format::kBlock) {}

TreeManifestWriter::TreeManifestWriter(TreeManifestWriter&& other) noexcept = default;

TreeManifestWriter::~TreeManifestWriter() {
  if (dir_ && !finished_) ::unlinkat(dir_.get(), name_.c_str(), 0);
}

Result<TreeManifestHeader> TreeManifestWriter::finish(TreeSorter& records,
                                                      TreeManifestHeader header) {
  CHECK(records.drain([this](const TreeRecord& record) { return take(record); }));
  if (pending_) CHECK(put(*std::exchange(pending_, std::nullopt)));
  CHECK(write_block());
  const std::uint64_t blocks = index_.size();
  const auto index = std::as_bytes(std::span(index_));
  const std::uint32_t crc = crc32c(index);
  unwritten_ += text_of(index);
  unwritten_ += text_of(std::as_bytes(std::span(&crc, 1)));
  CHECK(flush());
  header.records = records_;
  header.names = names_;
  // The header comes last: a file without it is no manifest.
  manifest_format::Block block;
  manifest_format::put_header(block, header, blocks);
  if (::lseek(file_.get(), 0, SEEK_SET) != 0) return fail_errno("writing", name_);
  CHECK(write_all(file_.get(), name_, text_of(block)));
  if (!dir_) return header;
  if (::fsync(file_.get()) != 0) return fail_errno("syncing", name_);
  if (::fsync(dir_.get()) != 0) return fail_errno("syncing the directory of", name_);
  finished_ = true;
  return header;
}

/// Puts the records of one inode together: they come one after the other.
Result<void> TreeManifestWriter::take(const TreeRecord& record) {
  if (pending_ && pending_->live_inode == record.live_inode) {
    if (pending_->inc_inode == record.inc_inode) {
      TreeRecord& whole = *pending_;
      const std::uint32_t names = whole.names + record.names;
      const bool full = (record.flags & kNameOnly) == 0;
      // Two full records that differ: the inode changed between its names.
      const bool differ = full && (whole.flags & kNameOnly) == 0 && whole.changed != record.changed;
      if ((whole.flags & kNameOnly) != 0 && full) whole = record;
      if (full && !record.trusted()) whole.flags &= ~std::uint32_t{TreeRecord::kTrusted};
      if (differ) whole.flags &= ~std::uint32_t{TreeRecord::kTrusted};
      whole.names = names;
      return {};
    }
    // One live inode, two copies: it changed in the middle of the walk, and neither is linked to.
    TreeRecord before = std::exchange(*pending_, record);
    before.flags &= ~std::uint32_t{TreeRecord::kTrusted};
    split_ = true;
    return put(before);
  }
  if (pending_) {
    TreeRecord before = *std::exchange(pending_, record);
    if (std::exchange(split_, false)) before.flags &= ~std::uint32_t{TreeRecord::kTrusted};
    return put(before);
  }
  pending_ = record;
  return {};
}

Result<void> TreeManifestWriter::put(TreeRecord record) {
  const bool fresh = distrusted_from_ && record.changed >= *distrusted_from_;
  if (split_ || fresh) record.flags &= ~std::uint32_t{TreeRecord::kTrusted};
  if ((record.flags & kNameOnly) != 0) record.flags = 0;
  ++records_;
  names_ += record.names;
  block_.push_back(record);
  return block_.size() < manifest_format::kRecordsInBlock ? Result<void>{} : write_block();
}

Result<void> TreeManifestWriter::write_block() {
  if (block_.empty()) return {};
  manifest_format::Block bytes;
  manifest_format::put_block(bytes, block_);
  index_.push_back(block_.front().live_inode);
  block_.clear();
  unwritten_ += text_of(bytes);
  return unwritten_.size() < kFlushAt ? Result<void>{} : flush();
}

Result<void> TreeManifestWriter::flush() {
  if (::lseek(file_.get(), static_cast<off_t>(written_), SEEK_SET) < 0) {
    return fail_errno("writing", name_);
  }
  CHECK(write_all(file_.get(), name_, unwritten_));
  written_ += unwritten_.size();
  unwritten_.clear();
  return {};
}

}  // namespace evojail
