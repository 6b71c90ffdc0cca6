#include "store/tree_manifest.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <random>
#include <thread>

#include "base/file.hpp"
#include "store/tree_manifest_writer.hpp"
#include "support/temp_directory.hpp"

namespace evojail {
namespace {

TreeRecord record(std::uint64_t live, std::uint64_t inc) {
  TreeRecord made;
  made.live_inode = live;
  made.inc_inode = inc;
  made.size = live * 3;
  made.digest = live * 7;
  made.changed = TreeTime(static_cast<std::int64_t>(live), 1);
  made.modified = TreeTime(-5, 2);
  made.born = TreeTime(77, 999'999'999);
  made.mode = S_IFREG | 0644;
  made.uid = 4294967294;
  made.gid = 70000;
  made.device_major = 8;
  made.device_minor = 1;
  made.links = 3;
  made.flags = TreeRecord::kTrusted | TreeRecord::kDigest;
  made.generation = 5;
  return made;
}

class TreeManifestTest : public ::testing::Test {
 protected:
  TreeManifestTest() : dir_(::open(temp_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {}

  TreeManifestHeader write(const std::vector<TreeRecord>& records, const std::string& name = "m") {
    TreeSorter sorter(TreeSorter::Order::live, dir_.get(), 1);
    TreeSorter::Sink sink(sorter);
    for (const auto& one : records) EXPECT_TRUE(sink.add(one));
    sink.finish();
    auto writer = TreeManifestWriter::create(dir_.get(), name);
    EXPECT_TRUE(writer);
    TreeManifestHeader header;
    header.inc_inode = 12;
    header.inc_born = TreeTime(1, 2);
    header.taken = TreeTime(3, 4);
    header.steady_clock = true;
    header.boot_id[3] = std::byte{9};
    const auto done = writer->finish(sorter, header);
    EXPECT_TRUE(done);
    return *done;
  }
  Result<TreeManifest> open(const std::string& name = "m") {
    file_ = Fd(::openat(dir_.get(), name.c_str(), O_RDONLY | O_CLOEXEC));
    return TreeManifest::open(file_.get());
  }

  test::TempDirectory temp_;
  Fd dir_;
  Fd file_;
};

TEST_F(TreeManifestTest, GivesBackWhatWasWritten) {
  std::vector<TreeRecord> records;
  for (std::uint64_t i = 0; i < 1000; ++i) records.push_back(record(10 + i * 3, 5000 - i));
  std::shuffle(records.begin(), records.end(), std::mt19937(1));
  const auto header = write(records);
  EXPECT_EQ(header.records, 1000U);
  EXPECT_EQ(header.names, 1000U);

  const auto manifest = open();
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->header().inc_inode, 12U);
  EXPECT_EQ(manifest->header().inc_born, TreeTime(1, 2));
  EXPECT_EQ(manifest->header().taken, TreeTime(3, 4));
  EXPECT_TRUE(manifest->header().steady_clock);
  EXPECT_EQ(manifest->header().boot_id[3], std::byte{9});
  TreeManifest::Cache cache;
  std::uint64_t place = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const auto found = manifest->find(10 + i * 3, cache, &place);
    ASSERT_TRUE(found) << i;
    EXPECT_EQ(place, i);
    const TreeRecord wanted = record(10 + i * 3, 5000 - i);
    EXPECT_EQ(found->inc_inode, wanted.inc_inode);
    EXPECT_EQ(found->size, wanted.size);
    EXPECT_EQ(found->digest, wanted.digest);
    EXPECT_EQ(found->changed, wanted.changed);
    EXPECT_EQ(found->modified, wanted.modified);
    EXPECT_EQ(found->born, wanted.born);
    EXPECT_EQ(found->mode, wanted.mode);
    EXPECT_EQ(found->uid, wanted.uid);
    EXPECT_EQ(found->gid, wanted.gid);
    EXPECT_EQ(found->device_major, wanted.device_major);
    EXPECT_EQ(found->device_minor, wanted.device_minor);
    EXPECT_EQ(found->links, wanted.links);
    EXPECT_EQ(found->flags, wanted.flags);
    EXPECT_EQ(found->generation, wanted.generation);
    EXPECT_FALSE(manifest->find(11 + i * 3, cache));
  }
  EXPECT_FALSE(manifest->find(0, cache));
  EXPECT_FALSE(manifest->find(UINT64_MAX, cache));
}

TEST_F(TreeManifestTest, AnEmptyTreeHasAManifestToo) {
  write({});
  const auto manifest = open();
  ASSERT_TRUE(manifest);
  TreeManifest::Cache cache;
  EXPECT_EQ(manifest->blocks(), 0U);
  EXPECT_FALSE(manifest->find(1, cache));
}

TEST_F(TreeManifestTest, NamesOfOneInodeBecomeOneRecord) {
  TreeRecord further = record(7, 70);
  further.flags = TreeManifestWriter::kNameOnly;
  further.digest = 0;
  const auto header = write({further, record(7, 70), record(8, 80), further, record(7, 70)});
  EXPECT_EQ(header.records, 2U);
  EXPECT_EQ(header.names, 5U);
  const auto manifest = open();
  TreeManifest::Cache cache;
  const auto found = manifest->find(7, cache);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->names, 4U);
  EXPECT_TRUE(found->trusted());
  EXPECT_EQ(found->digest, record(7, 70).digest);
}

TEST_F(TreeManifestTest, AnInodeWithTwoCopiesIsTrustedInNeither) {
  const auto header = write({record(7, 70), record(7, 71), record(7, 71), record(8, 80)});
  EXPECT_EQ(header.records, 3U);
  const auto manifest = open();
  std::vector<TreeRecord> records;
  ASSERT_TRUE(manifest->read_block(0, records));
  ASSERT_EQ(records.size(), 3U);
  EXPECT_FALSE(records[0].trusted());
  EXPECT_FALSE(records[1].trusted());
  EXPECT_TRUE(records[2].trusted());
}

TEST_F(TreeManifestTest, OneUntrustedNameSpoilsTheInode) {
  TreeRecord doubtful = record(7, 70);
  doubtful.flags = TreeRecord::kDigest;
  write({record(7, 70), doubtful});
  const auto manifest = open();
  TreeManifest::Cache cache;
  EXPECT_FALSE(manifest->find(7, cache)->trusted());
}

TEST_F(TreeManifestTest, DamageIsNoticedWhereverItIs) {
  std::vector<TreeRecord> records;
  for (std::uint64_t i = 1; i <= 100; ++i) records.push_back(record(i, i + 1000));
  write(records);
  const auto good = read_file(temp_ / "m", 1 << 20);
  ASSERT_TRUE(good);
  for (std::size_t at = 0; at < good->size(); at += 131) {
    std::string bad = *good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    ASSERT_TRUE(replace_file(temp_ / "bad", bad, 0600));
    const auto manifest = open("bad");
    if (!manifest) continue;  // header or index
    std::vector<TreeRecord> read;
    bool all = true;
    for (std::uint64_t block = 0; block < manifest->blocks(); ++block) {
      all = manifest->read_block(block, read) && all;
    }
    EXPECT_FALSE(all) << "byte " << at;
    // What cannot be read is not found, never found wrong.
    TreeManifest::Cache cache;
    for (std::uint64_t i = 1; i <= 100; ++i) {
      const auto found = manifest->find(i, cache);
      EXPECT_TRUE(!found || found->inc_inode == i + 1000) << i;
    }
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, good->size() - 1}) {
    ASSERT_TRUE(replace_file(temp_ / "bad", good->substr(0, size), 0600));
    EXPECT_FALSE(open("bad")) << size;
  }
}

TEST_F(TreeManifestTest, AnUnfinishedOneLeavesNoFile) {
  {
    const auto writer = TreeManifestWriter::create(dir_.get(), "half");
    ASSERT_TRUE(writer);
    ASSERT_TRUE(path_exists(temp_ / "half"));
  }
  EXPECT_FALSE(path_exists(temp_ / "half"));
}

TEST_F(TreeManifestTest, AnotherFileIsNotTouched) {
  write({});
  EXPECT_FALSE(TreeManifestWriter::create(dir_.get(), "m"));
  EXPECT_TRUE(open());
}

// More than the memory holds, from several threads: spilled, merged, and nothing lost.
TEST_F(TreeManifestTest, SortsMoreThanItHolds) {
  constexpr std::uint64_t each = 150'000;
  constexpr unsigned threads = 3;
  TreeSorter sorter(TreeSorter::Order::inc, dir_.get(), threads);
  {
    std::vector<std::jthread> workers;
    for (unsigned worker = 0; worker < threads; ++worker) {
      workers.emplace_back([&sorter, worker] {
        TreeSorter::Sink sink(sorter);
        std::mt19937_64 random(worker);
        for (std::uint64_t i = 0; i < each; ++i) {
          EXPECT_TRUE(sink.add(record(i * threads + worker, random() % 1'000'000)));
        }
        sink.finish();
      });
    }
  }
  std::uint64_t count = 0;
  std::uint64_t sum = 0;
  std::pair<std::uint64_t, std::uint64_t> last{};
  ASSERT_TRUE(sorter.drain([&](const TreeRecord& next) -> Result<void> {
    const std::pair key{next.inc_inode, next.live_inode};
    if (key < last) return fail("out of order");
    last = key;
    sum += next.live_inode;
    ++count;
    return {};
  }));
  EXPECT_EQ(count, each * threads);
  EXPECT_EQ(sum, count * (count - 1) / 2);
}

}  // namespace
}  // namespace evojail
